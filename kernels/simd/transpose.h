// Rows of a matrix turned into columns of packs, a square of registers at a time.
#pragma once

#include <utility>

#include "kernels/simd/pack.h"

namespace sluice::SLUICE_ISA {

// Lane l of what a and b, `distance` rows apart, give in a stage: their halves exchanged.
template <int distance, int width>
constexpr int exchanged_lane(int l, bool upper) {
  if (upper) return (l & distance) == 0 ? l + distance : width + l;
  return (l & distance) == 0 ? l : width + l - distance;
}

template <int distance, class T, int... lane>
SLUICE_INLINE void exchange(Pack<T>& a, Pack<T>& b, std::integer_sequence<int, lane...>) {
  constexpr int width = Pack<T>::width;
  const auto lower =
      __builtin_shufflevector(a.v, b.v, exchanged_lane<distance, width>(lane, false)...);
  b.v = __builtin_shufflevector(a.v, b.v, exchanged_lane<distance, width>(lane, true)...);
  a.v = lower;
}

/// row[i][j] becomes row[j][i]. Halves, quarters, ... of rows are exchanged in turn (Eklundh 1972).
template <class T, int distance = Pack<T>::width / 2>
SLUICE_INLINE void transpose(Pack<T>* row) {
  constexpr int width = Pack<T>::width;
  SLUICE_UNROLL
  for (int i = 0; i < width; ++i) {
    if ((i & distance) == 0) {
      exchange<distance>(row[i], row[i + distance], std::make_integer_sequence<int, width>{});
    }
  }
  if constexpr (distance > 1) transpose<T, distance / 2>(row);
}

/// Rows `from` [rows, depth], `ld` apart, of which there are a pack's width at most: their numbers
/// k become the pack at to + k * ld_to, zeros past the rows. `rows` may be 0 or less.
template <class T>
void pack_columns(const T* from, std::int64_t ld, std::int64_t rows, std::int64_t depth, T* to,
                  std::int64_t ld_to) {
  constexpr std::int64_t width = Pack<T>::width;
  std::int64_t k = 0;
  for (; rows == width && k + width <= depth; k += width) {
    Pack<T> square[width];
    SLUICE_UNROLL
    for (int i = 0; i < width; ++i) square[i] = Pack<T>::load(from + i * ld + k);
    transpose(square);
    SLUICE_UNROLL
    for (int i = 0; i < width; ++i) square[i].store(to + (k + i) * ld_to);
  }
  for (; k < depth; ++k) {
    for (std::int64_t i = 0; i < width; ++i) to[k * ld_to + i] = i < rows ? from[i * ld + k] : T(0);
  }
}

}  // namespace sluice::SLUICE_ISA
