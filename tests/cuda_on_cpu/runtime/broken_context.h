// A device that takes no more work, as after a kernel that read where it must not.
#pragma once

#include <cuda_runtime_api.h>

namespace cuda_on_cpu {

/// From now on streams take nothing and waiting fails with `status`.
void break_context(cudaError_t status);

}  // namespace cuda_on_cpu
