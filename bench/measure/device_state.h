// Whether a GPU still takes work from this process.
#pragma once

#include <string>

#ifdef SLUICE_WITH_CUDA
#include <cuda_runtime_api.h>
#endif

namespace sluice::bench {

/// CUDA's name for what is wrong with this process's context for good: an illegal address, a trap,
/// a time-out of the driver, ... Empty if nothing is, and in a build without CUDA. Waits for what
/// was enqueued, and takes back an error that did no harm, such as a launch that was refused.
inline std::string why_context_is_broken() {
#ifdef SLUICE_WITH_CUDA
  static_cast<void>(cudaGetLastError());
  if (cudaDeviceSynchronize() == cudaSuccess) return "";
  static_cast<void>(cudaGetLastError());
  const cudaError_t left = cudaDeviceSynchronize();  // one that stays is reported again
  if (left == cudaSuccess) return "";
  return std::string(cudaGetErrorName(left)) + ", " + cudaGetErrorString(left);
#else
  return "";
#endif
}

}  // namespace sluice::bench
