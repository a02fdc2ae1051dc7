// A block's threads add up in a fixed order. Only for .cu files.
#pragma once

#include "kernels/device/launch.h"

namespace sluice::cuda {

/// The sum of every thread's `value`, given to all of them. `shared` holds blockDim.x numbers,
/// which is a power of two. All threads of the block call it; `shared` may be used again at once.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  const T sum = shared[0];
  __syncthreads();
  return sum;
}

}  // namespace sluice::cuda
