// A ragged batch as the kernels see it.
//
// Public API.
#pragma once

#include <cstdint>

namespace sluice {

/// B rows of different lengths, sorted by falling length and packed time-major, so that the rows
/// alive at step t are the first ones: step t holds packed rows [offsets[t], offsets[t+1]), and
/// packed row offsets[t] + r belongs to sorted row r. With equal lengths this is plain [T,B,...].
/// PyTorch's PackedSequence is the same arrangement. Built by engine/sequence_layout.h.
/// Borrowed pointers; those marked `host` are read while a launch is prepared, the others by it.
struct Sequences {
  std::int32_t steps = 0;                      ///< T: the longest row's length
  std::int32_t batch = 0;                      ///< B
  std::int64_t rows = 0;                       ///< N
  bool equal_lengths = true;                   ///< every row has length T
  bool sorted_as_given = true;                 ///< order[r] == r for every r
  const std::int32_t* host_offsets = nullptr;  ///< [T+1], host
  const std::int32_t* offsets = nullptr;       ///< [T+1]
  const std::int32_t* lengths = nullptr;       ///< [B], by sorted row, falling, each >= 1
  const std::int32_t* order = nullptr;         ///< [B], sorted row -> row as the caller gave it
  const std::int32_t* step_of_row = nullptr;   ///< [N], packed row -> its time step
};

}  // namespace sluice
