// How a kernel is launched and how it gets shared memory. Only for .cu files.
//
// Each .cu file is compiled twice: by nvcc, and as plain C++ for the tests that run kernels on the
// CPU (tests/cuda_on_cpu/), which put a <cuda_runtime.h> of their own first. So that both work:
//   - launch with launch() below, never with <<<>>>;
//   - declare shared memory with the two macros below, never with __shared__;
//   - PTX only inside one small function that has a C++ twin under #ifndef __CUDACC__;
//   - a loop that spins on memory calls __nanosleep in its body, and a SpinLimit
//     (kernels/time_loops/persistent/spin_limit.h).
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/device/cuda_check.h"
#include "kernels/device/kernel_limits.h"

/// A block's array of fixed size, 128-byte aligned: SLUICE_SHARED_ARRAY(float, tile, [16][24]).
/// SLUICE_DYNAMIC_SHARED(T, name) makes `name` a T* to the launch's `shared_bytes`, aligned alike.
#ifdef __CUDACC__
#define SLUICE_SHARED_ARRAY(T, name, ...) __shared__ __align__(128) T name __VA_ARGS__
#define SLUICE_DYNAMIC_SHARED(T, name)                                    \
  extern __shared__ __align__(128) unsigned char sluice_dynamic_shared[]; \
  T* const name = reinterpret_cast<T*>(sluice_dynamic_shared)
#endif

namespace sluice::cuda {

struct LaunchConfig {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;  ///< dynamic shared memory of a block
  void* stream = nullptr;        ///< cudaStream_t
  bool cooperative = false;      ///< all blocks resident at once, so that they can wait for another
  dim3 cluster = {1, 1, 1};      ///< blocks that share an SM group; divides the grid
};

/// Enqueues `kernel`, with its limits raised where it needs that (kernels/device/kernel_limits.h).
/// A grid of no blocks does nothing. Errors: runtime if CUDA refuses the launch.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchConfig& config, Arguments&&... arguments) {
  if (config.grid.x == 0 || config.grid.y == 0 || config.grid.z == 0) return;
  const unsigned cluster_blocks = config.cluster.x * config.cluster.y * config.cluster.z;
  allow_launch(reinterpret_cast<const void*>(kernel), config.shared_bytes, cluster_blocks);
  cudaLaunchAttribute attributes[2];
  cudaLaunchConfig_t cuda_config = {};
  cuda_config.gridDim = config.grid;
  cuda_config.blockDim = config.block;
  cuda_config.dynamicSmemBytes = config.shared_bytes;
  cuda_config.stream = static_cast<cudaStream_t>(config.stream);
  cuda_config.attrs = attributes;
  if (config.cooperative) {
    cudaLaunchAttribute& attribute = attributes[cuda_config.numAttrs++];
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
  }
  if (cluster_blocks > 1) {
    cudaLaunchAttribute& attribute = attributes[cuda_config.numAttrs++];
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = config.cluster.x;
    attribute.val.clusterDim.y = config.cluster.y;
    attribute.val.clusterDim.z = config.cluster.z;
  }
  check(cudaLaunchKernelEx(&cuda_config, kernel, std::forward<Arguments>(arguments)...),
        "launching a kernel");
}

/// `blocks`, or `most` if that is less: a dimension of a grid.
constexpr unsigned at_most(std::int64_t most, std::int64_t blocks) {
  return static_cast<unsigned>(blocks < most ? blocks : most);
}

/// Blocks for a grid-stride loop over `items`: enough to fill any GPU, never more than needed.
inline dim3 grid_for(std::int64_t items, unsigned threads_per_block) {
  constexpr std::int64_t most_blocks = 4096;
  return {at_most(most_blocks, (items + threads_per_block - 1) / threads_per_block), 1, 1};
}

/// A grid-stride loop: for (int64_t i = grid_index(); i < count; i += grid_stride()).
__device__ __forceinline__ std::int64_t grid_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t grid_stride() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

}  // namespace sluice::cuda
