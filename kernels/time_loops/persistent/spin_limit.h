// How long a block may wait for another one, in builds for tests (SLUICE_BOUNDED_SPINS in CMake): a
// kernel whose wait never ends says what it waits for, and traps, instead of taking the GPU with
// it. In other builds there is no limit and no code. Only for .cu files.
//
// Every loop that spins counts its tries here. Barriers of the block and of the cluster are the
// hardware's and do not spin; a thread that has left the kernel counts as arrived there, so that
// what they wait for is a thread in one of these loops, which ends.
#pragma once

#include <cstdint>
#ifdef SLUICE_BOUNDED_SPINS
#include <cstdio>
#endif

#include "kernels/device/launch.h"

#ifndef SLUICE_SPIN_SECONDS
#define SLUICE_SPIN_SECONDS 5
#endif

namespace sluice::cuda {

#ifdef SLUICE_BOUNDED_SPINS

inline constexpr int spin_seconds = SLUICE_SPIN_SECONDS;
static_assert(spin_seconds > 0 && spin_seconds < 20,
              "tests/gpu gives up on a silent program after 20 s");

/// Nanoseconds, the same for all blocks.
#ifdef __CUDACC__
__device__ __forceinline__ std::uint64_t global_timer() {
  std::uint64_t nanoseconds;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  return nanoseconds;
}
#else
inline std::uint64_t global_timer() { return cuda_on_cpu::global_timer(); }
#endif

/// One for each wait.
class SpinLimit {
 public:
  /// After a try that failed. `report` prints what is waited for.
  template <class Report>
  __device__ __forceinline__ void count(Report report) {
    if (++tries_ % tries_between_looks != 0) return;  // a wait that goes well asks for no time
    const std::uint64_t now = global_timer();
    if (tries_ == tries_between_looks) {
      since_ = now;
    } else if (now - since_ > std::uint64_t{spin_seconds} * 1000000000u) {
      report();
      __trap();
    }
  }

 private:
  static constexpr unsigned tries_between_looks = 16;

  unsigned tries_ = 0;
  std::uint64_t since_ = 0;
};

#else

class SpinLimit {
 public:
  template <class Report>
  __device__ __forceinline__ void count(Report) {}
};

#endif

}  // namespace sluice::cuda
