// The squared norm of a buffer, left on the device.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// *out = sum of x[i]^2, in double and in an order that depends on `count` alone.
struct SumOfSquaresArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  const void* x = nullptr;          ///< [count]
  bool accumulate = false;          ///< *out += instead: a norm over several buffers
  double* out = nullptr;            ///< [1], on the device
  void* workspace = nullptr;        ///< 16-byte aligned; free again afterwards
  std::size_t workspace_bytes = 0;  ///< at least sum_of_squares_workspace_bytes()
};

/// Errors: usage on a negative count, a null pointer or too small a workspace.
void sum_of_squares(const Queue& queue, const SumOfSquaresArgs& args);

/// Enough for every smaller `count` too.
std::size_t sum_of_squares_workspace_bytes(std::int64_t count);

namespace cpu {
void sum_of_squares(const Queue&, const SumOfSquaresArgs&);
}
namespace cuda {
void sum_of_squares(const Queue&, const SumOfSquaresArgs&);
}

}  // namespace sluice
