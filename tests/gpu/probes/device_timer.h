// Clocks of the device, and loops that spin no longer than is allowed. Only for .cu files.
#pragma once

#include <cstdint>

#include "kernels/device/launch.h"
#ifndef __CUDACC__
#include <chrono>
#endif

namespace sluice::probes {

#ifndef __CUDACC__

inline std::uint64_t global_nanoseconds() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
inline std::int64_t clock_ticks() { return static_cast<std::int64_t>(global_nanoseconds()); }
inline unsigned multiprocessor() { return blockIdx.x; }
inline void keep(float&) {}
inline void keep(unsigned&) {}

#else

/// Of all multiprocessors the same; on Hopper in steps of some 32 ns.
__device__ __forceinline__ std::uint64_t global_nanoseconds() {
  std::uint64_t now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
  return now;
}
/// Clocks of this multiprocessor.
__device__ __forceinline__ std::int64_t clock_ticks() {
  std::int64_t now;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(now)::"memory");
  return now;
}
__device__ __forceinline__ unsigned multiprocessor() {
  unsigned number;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(number));
  return number;
}
/// The compiler takes x for used and changed here, and in this order with the clocks.
__device__ __forceinline__ void keep(float& x) { asm volatile("" : "+f"(x)::"memory"); }
__device__ __forceinline__ void keep(unsigned& x) { asm volatile("" : "+r"(x)::"memory"); }

#endif

/// How long something took on one multiprocessor, by both clocks.
struct Span {
  std::int64_t ticks;
  std::uint64_t nanoseconds;
};

class Stopwatch {
 public:
  __device__ Stopwatch() : nanoseconds_(global_nanoseconds()), ticks_(clock_ticks()) {}
  __device__ Span read() const {
    return {clock_ticks() - ticks_, global_nanoseconds() - nanoseconds_};
  }

 private:
  std::uint64_t nanoseconds_;
  std::int64_t ticks_;
};

/// Who waited in vain: the first thread that gave up writes it.
struct Stuck {
  unsigned count;              ///< threads that gave up; 0: nobody
  unsigned block, waited_for;  ///< whose flag
  unsigned round;
};

/// For a thread that waits for others' flags: after it has given up once it waits no more, so that
/// the kernel ends.
class Patience {
 public:
  __device__ Patience(Stuck* stuck, std::uint64_t nanoseconds)
      : stuck_(stuck), end_(global_nanoseconds() + nanoseconds) {}

  /// Until read(flag) has reached `value`. False if it did not in time.
  template <bool sleeps, class Read>
  __device__ __forceinline__ bool wait_for_flag(unsigned* flag, unsigned value, unsigned waited_for,
                                                Read read) {
    if (gave_up_) return false;
    do {
      for (int polls = 0; polls < 256; ++polls) {  // the clock is not looked at each time
        if (read(flag) >= value) return true;
#ifdef __CUDACC__
        if constexpr (sleeps)
#endif
          __nanosleep(20);
      }
    } while (global_nanoseconds() < end_);
    give_up(waited_for, value);
    return false;
  }

 private:
  __device__ void give_up(unsigned waited_for, unsigned round) {
    gave_up_ = true;
    if (atomicAdd(&stuck_->count, 1u) != 0) return;
    stuck_->block = blockIdx.x;
    stuck_->waited_for = waited_for;
    stuck_->round = round;
  }

  Stuck* stuck_;
  std::uint64_t end_;
  bool gave_up_ = false;
};

}  // namespace sluice::probes
