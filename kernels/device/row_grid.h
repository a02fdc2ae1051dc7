// The launch of kernels that treat rows of numbers: a block a row, its threads along the columns.
// Only for .cu files.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {

/// A power of two that covers `columns` if that needs no more than `most`, a warp at least.
inline unsigned threads_for(std::int64_t columns, unsigned most = 256) {
  unsigned threads = 32;
  while (threads < most && threads < columns) threads *= 2;
  return threads;
}

inline LaunchConfig row_grid(const Queue& queue, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t most_blocks = 65536;
  return {.grid = {at_most(most_blocks, rows), 1, 1},
          .block = {threads_for(columns), 1, 1},
          .stream = queue.stream};
}

/// Calls body(row, column) once for each element of [rows, columns] in a launch of row_grid.
template <class Body>
__device__ __forceinline__ void for_row_elements(std::int64_t rows, std::int64_t columns,
                                                 Body body) {
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    for (std::int64_t column = threadIdx.x; column < columns; column += blockDim.x) {
      body(row, column);
    }
  }
}

}  // namespace sluice::cuda
