#include "kernels/sequences/dropout.h"

#include <algorithm>

#include "kernels/base/dropout_factor.h"
#include "kernels/base/number.h"
#include "kernels/device/tiles.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kUnits = 256;  // factors drawn at a time; a multiple of a block's 4 words
constexpr std::int64_t kSteps = 128;  // steps that share one draw

// factors[i] of unit begin + i, for `count` units; `begin` is a multiple of 4.
template <class T>
void draw(const RandomStream& random, std::int32_t row, std::int64_t begin, std::int64_t count,
          double rate, T* factors) {
  const T scale = static_cast<T>(1.0 / (1.0 - rate));
  for (std::int64_t i = 0; i < count; i += 4) {
    const Philox::Block block = random.block(0, static_cast<std::uint32_t>(row),
                                             static_cast<std::uint32_t>((begin + i) / 4));
    for (std::int64_t j = 0; j < std::min<std::int64_t>(4, count - i); ++j) {
      factors[i + j] = dropout_factor(block.word[j], static_cast<float>(rate), scale);
    }
  }
}

// One thread draws a row's factors once and applies them to many of its steps.
template <class T>
void rows(const Queue& queue, const DropoutRowsArgs& args) {
  const Sequences& s = args.sequences;
  const auto* x = static_cast<const T*>(args.x);
  auto* y = static_cast<T*>(args.y);
  const std::int64_t unit_tiles = tile_count(args.columns, kUnits);
  const std::int32_t last_step = std::min(args.end, s.steps);
  const std::int64_t step_tiles = tile_count(last_step - args.begin, kSteps);
  parallel_for(queue, s.batch * unit_tiles * step_tiles, [&](std::int64_t task) {
    const std::int64_t row = task / (unit_tiles * step_tiles);
    const std::int64_t first_step = args.begin + task / unit_tiles % step_tiles * kSteps;
    const std::int64_t first_unit = task % unit_tiles * kUnits;
    const std::int64_t end_step =
        std::min<std::int64_t>({first_step + kSteps, last_step, s.lengths[row]});
    const std::int64_t count = std::min(kUnits, args.columns - first_unit);
    if (first_step >= end_step) return;
    Wide<T> factors[kUnits];
    const std::int32_t given_row =
        s.order == nullptr ? static_cast<std::int32_t>(row) : s.order[row];
    draw(args.random, given_row, first_unit, count, args.rate, factors);
    for (std::int64_t step = first_step; step < end_step; ++step) {
      const std::int64_t at = (s.offsets[step] + row) * args.columns + first_unit;
      for (std::int64_t i = 0; i < count; ++i) y[at + i] = narrow<T>(widen(x[at + i]) * factors[i]);
    }
  });
}

template <class T>
void mask(const Queue& queue, const DropoutMaskArgs& args) {
  auto* mask = static_cast<T*>(args.mask);
  parallel_for(queue, args.rows, [&](std::int64_t row) {
    const std::int64_t units = args.planes * args.columns;
    const std::int32_t given_row =
        args.order == nullptr ? static_cast<std::int32_t>(row) : args.order[row];
    Wide<T> factors[kUnits];
    for (std::int64_t begin = 0; begin < units; begin += kUnits) {
      const std::int64_t count = std::min(kUnits, units - begin);
      draw(args.random, given_row, begin, count, args.rate, factors);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t plane = (begin + i) / args.columns, unit = (begin + i) % args.columns;
        mask[(plane * args.rows + row) * args.columns + unit] = narrow<T>(factors[i]);
      }
    }
  });
}

}  // namespace

void dropout_rows(const Queue& queue, const DropoutRowsArgs& args) {
  with_number(args.type, [&]<class T>(T) { rows<T>(queue, args); });
}

void dropout_mask(const Queue& queue, const DropoutMaskArgs& args) {
  with_number(args.type, [&]<class T>(T) { mask<T>(queue, args); });
}

}  // namespace sluice::cpu
