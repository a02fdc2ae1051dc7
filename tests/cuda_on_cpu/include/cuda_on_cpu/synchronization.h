// Barriers, fences and the pause of a spinning loop.
#pragma once

#include "cuda_on_cpu/execution.h"

inline void __syncthreads(CUDA_ON_CPU_SITE) { cuda_on_cpu::block_barrier({site_file, site_line}); }

inline int __syncthreads_count(int predicate, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::block_barrier_count({site_file, site_line}, predicate != 0);
}
inline int __syncthreads_or(int predicate, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::block_barrier_count({site_file, site_line}, predicate != 0) > 0;
}
inline int __syncthreads_and(int predicate, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::block_barrier_count({site_file, site_line}, predicate == 0) == 0;
}

inline void __threadfence() { cuda_on_cpu::fence(); }
inline void __threadfence_block() { cuda_on_cpu::fence(); }
inline void __threadfence_system() { cuda_on_cpu::fence(); }

/// Ends the launch.
[[noreturn]] inline void __trap(CUDA_ON_CPU_SITE) {
  cuda_on_cpu::fail({site_file, site_line}, "trap");
}

/// The only place where a spinning thread lets others run.
inline void __nanosleep(unsigned, CUDA_ON_CPU_SITE) { cuda_on_cpu::yield({site_file, site_line}); }
