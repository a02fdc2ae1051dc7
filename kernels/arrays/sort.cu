// Sorting by token with CUB, in the caller's workspace and on the caller's stream.
#include "kernels/arrays/sort.h"

// What of CUB's headers the keys here do not need takes a second to compile.
#define CCCL_DISABLE_BF16_SUPPORT
#define CCCL_DISABLE_FP16_SUPPORT
#define CCCL_DISABLE_FP8_SUPPORT
#define CCCL_DISABLE_NVTX
#include <cub/device/device_radix_sort.cuh>

#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

__global__ void number_kernel(std::int64_t count, std::int32_t* numbers) {
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) {
    numbers[i] = static_cast<std::int32_t>(i);
  }
}

// Where CUB's own memory begins, after the unsorted positions.
std::size_t positions_bytes(std::int64_t count) {
  return (count * sizeof(std::int32_t) + 255) / 256 * 256;
}

}  // namespace

void sort_by_token(const Queue& queue, const SortByTokenArgs& args) {
  auto* unsorted = static_cast<std::int32_t*>(args.workspace);
  launch(number_kernel,
         {.grid = grid_for(args.count, 256), .block = {256, 1, 1}, .stream = queue.stream},
         args.count, unsorted);
  std::size_t bytes = args.workspace_bytes - positions_bytes(args.count);
  check(cub::DeviceRadixSort::SortPairs(
            static_cast<char*>(args.workspace) + positions_bytes(args.count), bytes,
            reinterpret_cast<const std::uint32_t*>(args.tokens),
            reinterpret_cast<std::uint32_t*>(args.sorted_tokens), unsorted, args.positions,
            static_cast<int>(args.count), 0, 32, static_cast<cudaStream_t>(queue.stream)),
        "sorting tokens");
}

std::size_t sort_by_token_workspace_bytes(const Queue& queue, std::int64_t count) {
  std::size_t bytes = 0;
  const std::uint32_t* keys = nullptr;
  std::uint32_t* sorted_keys = nullptr;
  const std::int32_t* values = nullptr;
  std::int32_t* sorted_values = nullptr;
  check(cub::DeviceRadixSort::SortPairs(nullptr, bytes, keys, sorted_keys, values, sorted_values,
                                        static_cast<int>(count), 0, 32,
                                        static_cast<cudaStream_t>(queue.stream)),
        "asking for the workspace of a sort");
  return positions_bytes(count) + bytes;
}

}  // namespace sluice::cuda
