// Every cuBLAS status is looked at; a bad one becomes sluice::Error.
// Only for sources built with the CUDA toolkit 12 or newer.
#pragma once

#include <cublas_v2.h>

namespace sluice::cuda {

/// As the one of kernels/device/cuda_check.h.
[[noreturn]] void throw_failure(cublasStatus_t status, const char* action);

inline void check(cublasStatus_t status, const char* action) {
  if (status != CUBLAS_STATUS_SUCCESS) throw_failure(status, action);
}

}  // namespace sluice::cuda
