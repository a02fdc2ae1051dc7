// Qualifiers, built-in variables and shared memory.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>
#include <vector_types.h>

#include "cuda_on_cpu/execution.h"

#undef __global__
#undef __device__
#undef __host__
#undef __forceinline__
#undef __shared__
#undef __constant__
#undef __launch_bounds__
#undef __maxnreg__
#undef __cluster_dims__
#undef __grid_constant__
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __constant__ static
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __cluster_dims__(...)
#define __grid_constant__
#define __shared__ declare_shared_memory_with_SLUICE_SHARED_ARRAY_instead

/// Set before a thread goes on. Objects, not macros: cudaLaunchConfig_t has members of these names.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static constexpr int warpSize = 32;

namespace cuda_on_cpu {

/// `Tag` is a type of this declaration's own, so that its key's address is too.
template <class Array, class Tag>
Array& declare_shared() {
  static constexpr char key = 0;
  return *static_cast<Array*>(shared_variable(&key, sizeof(Array)));
}

}  // namespace cuda_on_cpu

// kernels/device/launch.h gives these two their meaning for nvcc.
#define SLUICE_SHARED_ARRAY(T, name, ...)   \
  using name##_shared_type = T __VA_ARGS__; \
  struct name##_shared_tag {};              \
  name##_shared_type& name = ::cuda_on_cpu::declare_shared<name##_shared_type, name##_shared_tag>()
#define SLUICE_DYNAMIC_SHARED(T, name) \
  T* const name = static_cast<T*>(::cuda_on_cpu::dynamic_shared_memory())
