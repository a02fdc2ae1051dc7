// Whether the GPU still takes work from this process.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace sluice::test {

/// CUDA's name for what is wrong with this process's context for good: an illegal address, a failed
/// assertion, a time-out of the driver, ... Empty if nothing is. Waits for what was enqueued, and takes
/// back an error that did no harm, such as a launch that was refused.
inline std::string why_context_is_broken() {
  cudaGetLastError();
  if (cudaDeviceSynchronize() == cudaSuccess) return "";
  cudaGetLastError();
  const cudaError_t left = cudaDeviceSynchronize();  // one that stays is reported again
  return left == cudaSuccess ? "" : std::string(cudaGetErrorName(left)) + ", " + cudaGetErrorString(left);
}

}  // namespace sluice::test
