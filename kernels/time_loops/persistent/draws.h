// What the persistent kernels draw for the unit options, by the numbers of
// kernels/cells/unit_options.h. Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/row_group.h"

namespace sluice::cuda {

/// The row as the caller gave it.
__device__ __forceinline__ std::uint32_t given_row(const GroupLaunch& launch, int row) {
  return static_cast<std::uint32_t>(launch.order == nullptr ? row : launch.order[row]);
}

// Calls: a random word is long code, and drawn in places that wait for nothing.

/// Whether the mask on R's input keeps unit `unit` of gate `gate`.
__device__ inline __attribute__((noinline)) bool keeps(const GroupLaunch& launch,
                                                       const UnitDraws& draws, int row, int gate,
                                                       int unit) {
  const auto number = static_cast<std::uint32_t>(gate * launch.hidden_size + unit);
  return sluice::keeps(draws.mask.random.word(0, given_row(launch, row), number), launch.mask_rate);
}

/// A unit's bit of UnitDraws.
__device__ inline __attribute__((noinline)) bool draw_bit(const UnitDraws& draws, int i,
                                                          std::uint32_t step, std::uint32_t row,
                                                          std::uint32_t unit) {
  return draws.bit(i, step, row, unit);
}

/// A mask of `rows` live rows and `words` words of units in `shared`, by all threads of a block.
template <int gates, int most_rows>
__device__ OperandMask<gates, most_rows> draw_mask(const GroupLaunch& launch,
                                                   const UnitDraws& draws, int first_row, int rows,
                                                   int words, std::uint32_t* shared) {
  for (int i = static_cast<int>(threadIdx.x); i < words * gates * most_rows;
       i += static_cast<int>(blockDim.x)) {
    const int row = i % most_rows, gate = i / most_rows % gates;
    const int first_unit = i / most_rows / gates * 32;
    std::uint32_t bits = 0;
    for (int b = 0; b < 32 && first_unit + b < launch.hidden_size && row < rows; ++b) {
      if (keeps(launch, draws, first_row + row, gate, first_unit + b)) bits |= 1u << b;
    }
    shared[i] = bits;
  }
  return {shared};
}

/// Bit e * numbers + i: number i of element e at step t, of UnitDraws. Not unrolled: it is the same
/// code for all of a thread's elements.
template <int numbers, class Tiling>
__device__ __forceinline__ std::uint32_t draw_bits(const GroupLaunch& launch,
                                                   const UnitDraws& draws,
                                                   const RowGroup<Tiling>& group,
                                                   const Elements<Tiling>& place, std::int32_t t) {
  static_assert(Tiling::elements * numbers <= 32);
  std::uint32_t bits = 0;
#pragma unroll 1
  for (int e = 0; e < Tiling::elements; ++e) {
    const int row = place.row(e);
    if (row >= group.rows) continue;
    const std::uint32_t given = given_row(launch, group.first_row + row);
    for_each_index<numbers>([&](auto i) {
      const bool bit = draw_bit(draws, i, static_cast<std::uint32_t>(t), given,
                                static_cast<std::uint32_t>(place.unit(e)));
      bits |= static_cast<std::uint32_t>(bit) << (e * numbers + i);
    });
  }
  return bits;
}

/// Element e's numbers, by their bits.
template <int numbers>
__device__ __forceinline__ void numbers_of(const UnitDraws& draws, std::uint32_t bits, int e,
                                           float (&drawn)[numbers]) {
  for_each_index<numbers>([&](auto i) {
    drawn[i] = draws.template number<float>(i, (bits >> (e * numbers + i) & 1) != 0);
  });
}

}  // namespace sluice::cuda
