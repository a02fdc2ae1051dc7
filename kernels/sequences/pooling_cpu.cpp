#include "kernels/sequences/pooling.h"

#include <algorithm>

#include "kernels/base/exceeds.h"
#include "kernels/base/number.h"
#include "kernels/device/tiles.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kFeatures = 256;  // features of one row that one piece of work takes

// A piece of work: `count` features from `first` on, of one sorted row.
struct Piece {
  std::int64_t row, first, count;
};

// Calls body(piece) for all features of all rows.
template <class Body>
void for_pieces(const Queue& queue, const Sequences& sequences, std::int64_t features,
                Body&& body) {
  const std::int64_t tiles = tile_count(features, kFeatures);
  parallel_for(queue, sequences.batch * tiles, [&](std::int64_t task) {
    const std::int64_t first = task % tiles * kFeatures;
    body(Piece{task / tiles, first, std::min(kFeatures, features - first)});
  });
}

template <class T>
void last(const PoolForwardArgs& args, const Piece& piece) {
  const Sequences& s = args.sequences;
  const auto* y = static_cast<const T*>(args.y);
  Wide<T>* out = static_cast<Wide<T>*>(args.out) + piece.row * args.features;
  const std::int64_t forward_features = args.features / args.directions;
  const std::int64_t last_row = s.offsets[s.lengths[piece.row] - 1] + piece.row;
  for (std::int64_t f = piece.first; f < piece.first + piece.count; ++f) {
    out[f] = widen(y[(f < forward_features ? last_row : piece.row) * args.features + f]);
  }
}

template <class T>
void mean(const PoolForwardArgs& args, const Piece& piece) {
  const Sequences& s = args.sequences;
  const T* y = static_cast<const T*>(args.y) + piece.first;
  const std::int32_t length = s.lengths[piece.row];
  Wide<T> total[kFeatures] = {};
  for (std::int32_t begin = 0; begin < length; begin += kMeanChunk) {
    Wide<T> sum[kFeatures] = {};
    for (std::int32_t t = begin; t < std::min(begin + kMeanChunk, length); ++t) {
      const T* from = y + (s.offsets[t] + piece.row) * args.features;
      for (std::int64_t i = 0; i < piece.count; ++i) sum[i] += widen(from[i]);
    }
    for (std::int64_t i = 0; i < piece.count; ++i) total[i] += sum[i];
  }
  Wide<T>* out = static_cast<Wide<T>*>(args.out) + piece.row * args.features + piece.first;
  for (std::int64_t i = 0; i < piece.count; ++i) out[i] = total[i] / static_cast<Wide<T>>(length);
}

template <class T>
void max(const PoolForwardArgs& args, const Piece& piece) {
  const Sequences& s = args.sequences;
  const T* y = static_cast<const T*>(args.y) + piece.first;
  Wide<T> best[kFeatures];
  std::int32_t best_step[kFeatures] = {};
  for (std::int64_t i = 0; i < piece.count; ++i) best[i] = widen(y[piece.row * args.features + i]);
  for (std::int32_t t = 1; t < s.lengths[piece.row]; ++t) {
    const T* from = y + (s.offsets[t] + piece.row) * args.features;
    for (std::int64_t i = 0; i < piece.count; ++i) {
      const Wide<T> x = widen(from[i]);
      const bool better = exceeds(x, best[i]);
      best[i] = better ? x : best[i];
      best_step[i] = better ? t : best_step[i];
    }
  }
  const std::int64_t at = piece.row * args.features + piece.first;
  std::copy_n(best, piece.count, static_cast<Wide<T>*>(args.out) + at);
  std::copy_n(best_step, piece.count, args.argmax + at);
}

template <class T>
void forward(const Queue& queue, const PoolForwardArgs& args) {
  for_pieces(queue, args.sequences, args.features, [&](const Piece& piece) {
    switch (args.pooling) {
      case Pooling::last: return last<T>(args, piece);
      case Pooling::mean: return mean<T>(args, piece);
      case Pooling::max: return max<T>(args, piece);
    }
  });
}

// dy of one packed row, which is step `t` of sorted row `row`.
template <class T>
void backward_row(const PoolBackwardArgs& args, std::int64_t row, std::int32_t t, T* dy) {
  const std::int32_t length = args.sequences.lengths[row];
  const auto* d_out = static_cast<const Wide<T>*>(args.d_out) + row * args.features;
  switch (args.pooling) {
    case Pooling::last: {
      const std::int64_t forward_features = args.features / args.directions;
      std::fill_n(dy, args.features, narrow<T>(Wide<T>(0)));
      const std::int64_t first = t == length - 1 ? 0 : forward_features;
      const std::int64_t end = t == 0 ? args.features : forward_features;
      for (std::int64_t f = first; f < end; ++f) dy[f] = narrow<T>(d_out[f]);
      return;
    }
    case Pooling::mean:
      for (std::int64_t f = 0; f < args.features; ++f) {
        dy[f] = narrow<T>(d_out[f] / static_cast<Wide<T>>(length));
      }
      return;
    case Pooling::max: {
      const std::int32_t* argmax = args.argmax + row * args.features;
      for (std::int64_t f = 0; f < args.features; ++f) {
        dy[f] = narrow<T>(argmax[f] == t ? d_out[f] : Wide<T>(0));
      }
      return;
    }
  }
}

template <class T>
void backward(const Queue& queue, const PoolBackwardArgs& args) {
  const Sequences& s = args.sequences;
  auto* dy = static_cast<T*>(args.dy);
  parallel_tiles(queue, s.rows, rows_per_tile(args.features),
                 [&](std::int64_t n, std::int64_t end) {
                   for (; n < end; ++n) {
                     const std::int32_t t = s.step_of_row[n];
                     backward_row(args, n - s.offsets[t], t, dy + n * args.features);
                   }
                 });
}

}  // namespace

void pool_forward(const Queue& queue, const PoolForwardArgs& args) {
  with_number(args.type, [&]<class T>(T) { forward<T>(queue, args); });
}

void pool_backward(const Queue& queue, const PoolBackwardArgs& args) {
  with_number(args.type, [&]<class T>(T) { backward<T>(queue, args); });
}

}  // namespace sluice::cpu
