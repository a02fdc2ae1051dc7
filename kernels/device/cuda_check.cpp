#ifdef SLUICE_WITH_CUDA
#include "kernels/device/cuda_check.h"

#include <string>

#include "kernels/base/error.h"
#include "kernels/device/blas_check.h"

namespace sluice::cuda {

bool is_sticky(cudaError_t status) noexcept {
  const int code = static_cast<int>(status);
  return code == 700 || code == 702 || code == 710 || (code >= 714 && code <= 719) || code == 721 ||
         code == 810;
}

void throw_failure(cudaError_t status, const char* action) {
  std::string message = std::string(action) + " failed: " + cudaGetErrorString(status) + " (" +
                        cudaGetErrorName(status) + ", CUDA error " +
                        std::to_string(static_cast<int>(status)) + "); ";
  if (is_sticky(status)) {
    message +=
        "an earlier launch broke the device's context: end this process, then run it again under "
        "compute-sanitizer to find the kernel";
  } else {
    static_cast<void>(cudaGetLastError());
    if (status == cudaErrorMemoryAllocation) {
      message +=
          "use a smaller batch, shorter sequences or a smaller model, or a GPU with more "
          "memory";
    } else if (status == cudaErrorNoKernelImageForDevice ||
               status == cudaErrorUnsupportedPtxVersion) {
      message +=
          "this build holds no code for the device: rebuild with its compute capability in "
          "CMAKE_CUDA_ARCHITECTURES";
    } else if (status == cudaErrorInsufficientDriver) {
      message += "update the NVIDIA driver, or use the CPU";
    } else {
      message += "check the device with nvidia-smi, or use the CPU";
    }
  }
  throw Error::runtime(message);
}

void throw_failure(cublasStatus_t status, const char* action) {
  std::string message = std::string(action) + " failed: " + cublasGetStatusString(status) +
                        " (cuBLAS status " + std::to_string(static_cast<int>(status)) + "); ";
  if (status == CUBLAS_STATUS_ALLOC_FAILED) {
    message += "free device memory: use a smaller batch or model";
  } else if (status == CUBLAS_STATUS_ARCH_MISMATCH || status == CUBLAS_STATUS_NOT_SUPPORTED) {
    message += "this cuBLAS does not support the device or the product: update the CUDA libraries";
  } else {
    message += "check the device with nvidia-smi, or use the CPU";
  }
  throw Error::runtime(message);
}

}  // namespace sluice::cuda
#endif
