// What the persistent kernels draw for the unit options, by the numbers of
// kernels/cells/unit_options.h. Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/row_group.h"

namespace sluice::cuda {

/// The row as the caller gave it.
__device__ __forceinline__ std::uint32_t given_row(const GroupLaunch& launch, int row) {
  return static_cast<std::uint32_t>(launch.order == nullptr ? row : launch.order[row]);
}

/// Whether recurrent dropout keeps unit `unit` of gate `gate` where it enters R.
__device__ inline bool keeps(const GroupLaunch& launch, const UnitDraws& draws, int row, int gate,
                             int unit) {
  const auto number = static_cast<std::uint32_t>(gate * launch.hidden_size + unit);
  return sluice::keeps(draws.mask.random.word(0, given_row(launch, row), number),
                       launch.dropout_rate);
}

/// Masks of a group's rows, [gates, most_rows, words] words of 32 units, by all threads of a block.
__device__ inline void draw_masks(const GroupLaunch& launch, const UnitDraws& draws, int first_row,
                                  int rows, int gates, const OperandMask& shape,
                                  std::uint32_t* masks) {
  const int in_plane = shape.rows * shape.words;
  for (int i = static_cast<int>(threadIdx.x); i < gates * in_plane;
       i += static_cast<int>(blockDim.x)) {
    const int row = i % in_plane / shape.words, first_unit = i % shape.words * 32;
    std::uint32_t bits = 0;
    for (int b = 0; b < 32 && first_unit + b < launch.hidden_size && row < rows; ++b) {
      if (keeps(launch, draws, first_row + row, i / in_plane, first_unit + b)) bits |= 1u << b;
    }
    masks[i] = bits;
  }
}

/// Bit e * states + i: whether element e takes its new state i at step t where zoneout drops. Not
/// unrolled: it is the same code for all of a thread's elements.
template <int states, class Tiling>
__device__ __forceinline__ std::uint32_t draw_taken(const GroupLaunch& launch,
                                                    const ZoneoutDraws& zoneout,
                                                    const RowGroup<Tiling>& group,
                                                    const Elements<Tiling>& place, std::int32_t t) {
  std::uint32_t bits = 0;
#pragma unroll 1
  for (int e = 0; e < Tiling::elements; ++e) {
    const int row = place.row(e);
    if (row >= group.rows) continue;
    const std::uint32_t given = given_row(launch, group.first_row + row);
    for_each_index<states>([&](auto i) {
      const bool takes = zoneout.takes(i, static_cast<std::uint32_t>(t), given,
                                       static_cast<std::uint32_t>(place.unit(e)));
      bits |= static_cast<std::uint32_t>(takes) << (e * states + i);
    });
  }
  return bits;
}

}  // namespace sluice::cuda
