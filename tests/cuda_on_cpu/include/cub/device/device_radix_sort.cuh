// CUB's radix sort of pairs, for sources that run on the CPU: a stable sort, with CUB's two-call
// protocol for the workspace.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <vector>

#include "cuda_on_cpu/streams.h"
#include "cuda_on_cpu/device_memory.h"
#include "cuda_on_cpu/language.h"

namespace cub {

struct DeviceRadixSort {
  /// A null workspace asks for its size. Keys are compared whole: the bit range must cover them.
  template <class Key, class Value, class Count>
  static cudaError_t SortPairs(void* workspace, std::size_t& workspace_bytes, const Key* keys,
                               Key* sorted_keys, const Value* values, Value* sorted_values,
                               Count count, int first_bit = 0,
                               int end_bit = static_cast<int>(sizeof(Key) * 8),
                               cudaStream_t stream = nullptr) {
    const std::size_t needed = static_cast<std::size_t>(count) * (sizeof(Key) + sizeof(Value)) + 256;
    if (workspace == nullptr) {
      workspace_bytes = needed;
      return cudaSuccess;
    }
    if (workspace_bytes < needed || first_bit != 0 || end_bit != sizeof(Key) * 8) {
      return cudaErrorInvalidValue;
    }
    return cuda_on_cpu::submit(stream, {cuda_on_cpu::NodeKind::library, nullptr, [=] {
      const cuda_on_cpu::DeviceMemoryAccess access;
      std::memset(workspace, 0xA5, needed);  // it is scratch: whatever lay there is gone
      std::vector<Count> order(static_cast<std::size_t>(count));
      std::iota(order.begin(), order.end(), Count(0));
      std::stable_sort(order.begin(), order.end(), [&](Count a, Count b) { return keys[a] < keys[b]; });
      for (std::size_t i = 0; i < order.size(); ++i) {
        sorted_keys[i] = keys[order[i]];
        sorted_values[i] = values[order[i]];
      }
      return cudaSuccess;
    }});
  }
};

}  // namespace cub
