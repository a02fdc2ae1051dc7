// Numbers from one type to another: the 16-bit copy of float32 weights, states in and out of a
// pass.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// to[i] = from[i], rounded to nearest with ties to even. The arrays do not overlap.
struct ConvertArgs {
  std::int64_t count = 0;
  DataType from_type = DataType::float32;
  const void* from = nullptr;  ///< [count]
  DataType to_type = DataType::float32;
  void* to = nullptr;  ///< [count]
};

/// Errors: usage on a negative count, a null pointer, or two types of which neither is the other's
/// state_type().
void convert(const Queue& queue, const ConvertArgs& args);

namespace cpu {
void convert(const Queue&, const ConvertArgs&);
}
namespace cuda {
void convert(const Queue&, const ConvertArgs&);
}

}  // namespace sluice
