// Thread-block clusters by PTX: the barrier of all threads, and stores into another block's shared
// memory that count their bytes on an mbarrier there, so that no fence has to wait for anything
// else a thread has written. Only for .cu files. Compute capability 9.0 and newer; elsewhere these
// trap.
#pragma once

#include <cstdint>

#include "kernels/device/launch.h"
#include "kernels/time_loops/persistent/spin_limit.h"
#ifndef __CUDACC__
#include "cuda_awbarrier_primitives.h"
#include "cuda_on_cpu/bulk_copy.h"
#endif

namespace sluice::cuda {

#if !defined(__CUDACC__)

/// All threads of the cluster's blocks meet; what they wrote before is seen afterwards.
inline void cluster_barrier(CUDA_ON_CPU_SITE) {
  cuda_on_cpu::cluster_arrive({site_file, site_line});
  cuda_on_cpu::cluster_wait({site_file, site_line});
}

/// By one thread, before cluster_barrier(): each phase ends with one arrival and the bytes it
/// expects.
inline void create_barrier(std::uint64_t* barrier) { __mbarrier_init(barrier, 1); }
/// The arrival, by one thread of the block whose barrier it is.
inline void expect_bytes(std::uint64_t* barrier, std::uint32_t bytes, CUDA_ON_CPU_SITE) {
  cuda_on_cpu::arrive_expecting(barrier, bytes, site_file, site_line);
}
/// Whether the phase of this parity (0 at first) has ended and its bytes are there; pauses before
/// it says no.
inline bool has_bytes(std::uint64_t* barrier, unsigned parity, CUDA_ON_CPU_SITE) {
  return __mbarrier_try_wait_parity(barrier, parity != 0, 0, site_file, site_line);
}

/// `own` and `barrier` are this block's, 16- and 8-byte aligned; the same places of block `rank`
/// are meant. Counts 16 bytes on the barrier.
inline void store_to_block(void* own, int rank, const uint4& value, std::uint64_t* barrier,
                           CUDA_ON_CPU_SITE) {
  const cuda_on_cpu::Site site{site_file, site_line};
  const auto block = static_cast<unsigned>(rank);
  cuda_on_cpu::store_async(
      static_cast<uint4*>(cuda_on_cpu::map_shared(site, own, block)), value,
      static_cast<std::uint64_t*>(cuda_on_cpu::map_shared(site, barrier, block)), site_file,
      site_line);
}

#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900

__device__ __forceinline__ unsigned shared_address(const void* address) {
  return static_cast<unsigned>(__cvta_generic_to_shared(address));
}

__device__ __forceinline__ void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}

__device__ __forceinline__ void create_barrier(std::uint64_t* barrier) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(barrier)) : "memory");
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void expect_bytes(std::uint64_t* barrier, std::uint32_t bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
      "r"(bytes)
      : "memory");
}
__device__ __forceinline__ bool has_bytes(std::uint64_t* barrier, unsigned parity) {
  unsigned passed;
  asm volatile(
      "{ .reg .pred p;\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
      "selp.u32 %0, 1, 0, p; }"
      : "=r"(passed)
      : "r"(shared_address(barrier)), "r"(parity)
      : "memory");
  return passed != 0;
}
__device__ __forceinline__ void store_to_block(void* own, int rank, const uint4& value,
                                               std::uint64_t* barrier) {
  asm volatile(
      "{ .reg .b32 to, there;\n"
      "mapa.shared::cluster.u32 to, %0, %2;\n"
      "mapa.shared::cluster.u32 there, %1, %2;\n"
      "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [to], {%3, %4, %5, %6}, "
      "[there]; }" ::"r"(shared_address(own)),
      "r"(shared_address(barrier)), "r"(rank), "r"(value.x), "r"(value.y), "r"(value.z),
      "r"(value.w)
      : "memory");
}

#else

__device__ inline void cluster_barrier() { __trap(); }
__device__ inline void create_barrier(std::uint64_t*) { __trap(); }
__device__ inline void expect_bytes(std::uint64_t*, std::uint32_t) { __trap(); }
__device__ inline bool has_bytes(std::uint64_t*, unsigned) {
  __trap();
  return true;
}
__device__ inline void store_to_block(void*, int, const uint4&, std::uint64_t*) { __trap(); }

#endif

#ifdef SLUICE_BOUNDED_SPINS
__device__ inline void report_wait_for_bytes(unsigned round) {
  if (threadIdx.x % 32 != 0) return;  // all of a warp wait for the same
  printf(
      "sluice: persistent_cluster: block %u, thread %u waits more than %d s for the other blocks' "
      "bytes of "
      "round %u\n",
      blockIdx.x, threadIdx.x, spin_seconds, round);
}
#else
__device__ inline void report_wait_for_bytes(unsigned) {}
#endif

/// Until has_bytes(). `round` is told where that takes too long.
__device__ __forceinline__ void wait_for_bytes(std::uint64_t* barrier, unsigned parity,
                                               unsigned round) {
  SpinLimit limit;
  while (!has_bytes(barrier, parity)) limit.count([&] { report_wait_for_bytes(round); });
}

}  // namespace sluice::cuda
