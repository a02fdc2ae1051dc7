// Flags in global memory by which resident blocks wait for each other, by PTX's release and
// acquire. Only for .cu files.
#pragma once

#include "kernels/device/launch.h"
#include "kernels/time_loops/persistent/spin_limit.h"

namespace sluice::cuda {

#if !defined(__CUDACC__)

inline void raise_flag(unsigned* flag, unsigned value) {
  __threadfence();
  atomicExch(flag, value);
}
inline unsigned read_flag(unsigned* flag) {
  const unsigned value = atomicAdd(flag, 0u);
  __threadfence();
  return value;
}
inline void store_global(void* to, const uint4& value) { __stcg(static_cast<uint4*>(to), value); }
inline uint4 load_global(const void* from) { return __ldcg(static_cast<const uint4*>(from)); }

#else

/// What the block's threads wrote before its last barrier is seen by whoever reads this value.
__device__ __forceinline__ void raise_flag(unsigned* flag, unsigned value) {
  __threadfence();
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(__cvta_generic_to_global(flag)),
               "r"(value)
               : "memory");
}
__device__ __forceinline__ unsigned read_flag(unsigned* flag) {
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
               : "=r"(value)
               : "l"(__cvta_generic_to_global(flag))
               : "memory");
  return value;
}
/// Past the first-level caches, which other blocks do not see.
__device__ __forceinline__ void store_global(void* to, const uint4& value) {
  __stcg(static_cast<uint4*>(to), value);
}
__device__ __forceinline__ uint4 load_global(const void* from) {
  return __ldcg(static_cast<const uint4*>(from));
}

#endif

#ifdef SLUICE_BOUNDED_SPINS
__device__ inline void report_wait_for_flag(unsigned* flag, unsigned value, int rank) {
  printf(
      "sluice: persistent_grid: block %u, thread %u waits more than %d s for round %u of block %d "
      "of its "
      "group, which has finished %u\n",
      blockIdx.x, threadIdx.x, spin_seconds, value, rank, read_flag(flag));
}
#else
__device__ inline void report_wait_for_flag(unsigned*, unsigned, int) {}
#endif

/// Until the flag of block `rank` of the group has reached `value`, a number of rounds.
__device__ __forceinline__ void wait_for_flag(unsigned* flag, unsigned value, int rank) {
  SpinLimit limit;
  while (read_flag(flag) < value) {
    limit.count([&] { report_wait_for_flag(flag, value, rank); });
    __nanosleep(20);
  }
}

}  // namespace sluice::cuda
