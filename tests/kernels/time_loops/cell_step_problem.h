// The numbers of one step of a cell, and what each unit reads of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/base/philox.h"
#include "kernels/cells/unit_options.h"
#include "tests/kernels/time_loops/cell_equations.h"

namespace sluice::test {

enum class ZoneoutKind { off, draws, mixes };

/// The buffers of one step on a device, filled with the same numbers for every run.
template <class Number>
struct Step {
  static constexpr std::int64_t rows = 5, batch = 7, previous_rows = 3, gap = 3;
  static constexpr std::int32_t number = 3;  // t
  const Cell cell;
  const CellSpec& spec;
  const std::int64_t hidden, slots, gates;
  const std::vector<std::int32_t> order = {4, 0, 6, 2, 1, 5, 3};
  ZoneoutDraws zoneout;
  std::vector<Number> pre, bias, h_state, c_state, mask, unit_weights, dy, dh, dc, dq;

  Step(Cell of, std::int64_t hidden_size, ZoneoutKind zoneout_kind)
      : cell(of),
        spec(spec_of(of)),
        hidden(hidden_size),
        slots(slot_count(of)),
        gates(gate_count(of)) {
    if (zoneout_kind != ZoneoutKind::off) {
      zoneout = {.rate = {0.4f, spec.has_cell_state() ? 0.25f : 0.0f},
                 .drops = zoneout_kind == ZoneoutKind::draws,
                 .hidden_size = static_cast<std::uint32_t>(hidden),
                 .random = {.seed = 77, .stream = 6}};
    }
    pre = numbers(rows * slots * hidden, 1, 2.0);
    bias = numbers(slots * hidden, 2, 1.0);
    h_state = numbers(batch * hidden, 3, 1.0);
    c_state = numbers(batch * hidden, 4, 2.0);
    mask = numbers(gates * batch * hidden, 5, 1.0);
    for (Number& factor : mask) factor = factor < 0 ? Number(0) : Number(1.25);
    dy = numbers(rows * (hidden + gap), 6, 1.0);
    dh = numbers(batch * hidden, 7, 1.0);
    dc = numbers(batch * hidden, 8, 1.0);
    dq = numbers(rows * hidden, 9, 1.0);
    unit_weights = numbers(std::max(1, spec.unit_weights) * hidden, 10, 1.0);
  }

  static std::vector<Number> numbers(std::int64_t count, std::uint32_t seed, double scale) {
    std::vector<Number> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto block = Philox::draw({{static_cast<std::uint32_t>(i), 0, 0, 0}}, seed, 0);
      values[i] = static_cast<Number>((2.0 * Philox::uniform(block.word[0]) - 1.0) * scale);
    }
    return values;
  }

  std::int64_t slot_index(std::int64_t row, std::int64_t slot, std::int64_t unit) const {
    return (row * slots + slot) * hidden + unit;
  }
  double mask_of(std::int64_t gate, std::int64_t row, std::int64_t unit) const {
    return mask[(gate * batch + row) * hidden + unit];
  }
  UnitIn unit_in(std::int64_t row, std::int64_t unit, bool with_bias, bool with_mask) const {
    UnitIn in{};
    for (std::int64_t s = 0; s < slots; ++s) {
      in.pre[s] = pre[slot_index(row, s, unit)] + (with_bias ? double{bias[s * hidden + unit]} : 0);
    }
    in.h_prev = h_state[row * hidden + unit];
    in.c_prev = c_state[row * hidden + unit];
    in.mask = with_mask && spec.two_phases() ? mask_of(2, row, unit) : 1.0;
    for (int w = 0; w < spec.unit_weights; ++w) {
      in.weight[w] = unit_weights[w * hidden + unit];
      if (with_mask && !spec.recurrent_matrix) in.weight[w] *= mask_of(0, row, unit);
    }
    for (int state = 0; state < 2; ++state) {
      in.taken[state] = zoneout.taken<double>(state, number, order[row], unit);
    }
    return in;
  }
};

}  // namespace sluice::test
