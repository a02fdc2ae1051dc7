// Every CUDA status is looked at; a bad one becomes sluice::Error. kernels/device/blas_check.h does
// it for cuBLAS, whose header takes long to compile. Only for sources built with the CUDA toolkit
// 12 or newer.
#pragma once

#include <cuda_runtime_api.h>

namespace sluice::cuda {

/// True for failures that leave the device's context unusable, so that every later call in this
/// process fails too and only a new process helps. Running out of memory is not one of them.
bool is_sticky(cudaError_t status) noexcept;

/// Throws a runtime error: what was being done, the status by name and number, and the remedy.
/// A status that is not sticky is cleared first (cudaGetLastError), so that the next launch does
/// not report it again.
[[noreturn]] void throw_failure(cudaError_t status, const char* action);

/// `action` completes "... failed", e.g. "copying 40 bytes to the device".
inline void check(cudaError_t status, const char* action) {
  if (status != cudaSuccess) throw_failure(status, action);
}

}  // namespace sluice::cuda
