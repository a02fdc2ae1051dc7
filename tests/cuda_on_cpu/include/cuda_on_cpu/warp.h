// Shuffles, votes and reductions among the lanes of a warp.
#pragma once

#include <cstring>
#include <type_traits>

#include "cuda_on_cpu/execution.h"

namespace cuda_on_cpu {

/// What every lane of `mask` gave.
template <class T>
struct WarpValues {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 16);

  unsigned arrived;
  alignas(16) unsigned char bytes[32 * 16];

  WarpValues(Site site, const char* operation, unsigned mask, const T& mine)
      : arrived(exchange_in_warp(site, operation, mask, &mine, sizeof(T), bytes)) {}

  /// 0xFF in every byte, NaN, for a lane that gave nothing: on a GPU the value is undefined.
  T of(int lane) const {
    T value;
    std::memcpy(static_cast<void*>(&value), bytes + 16 * lane, sizeof(T));
    return value;
  }
  bool has(int lane) const { return (arrived >> lane & 1) != 0; }
};

inline int own_lane() { return static_cast<int>(lane()); }

}  // namespace cuda_on_cpu

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, CUDA_ON_CPU_SITE) {
  cuda_on_cpu::WarpValues<int>({site_file, site_line}, "__syncwarp", mask, 0);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, CUDA_ON_CPU_SITE) {
  const int first = cuda_on_cpu::own_lane() & ~(width - 1);
  return cuda_on_cpu::WarpValues<T>({site_file, site_line}, "__shfl_sync", mask, value)
      .of(first + (source & (width - 1)));
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, CUDA_ON_CPU_SITE) {
  const int lane = cuda_on_cpu::own_lane(), first = lane & ~(width - 1);
  const int source = lane - static_cast<int>(delta);
  return cuda_on_cpu::WarpValues<T>({site_file, site_line}, "__shfl_up_sync", mask, value)
      .of(source < first ? lane : source);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, CUDA_ON_CPU_SITE) {
  const int lane = cuda_on_cpu::own_lane(), end = (lane & ~(width - 1)) + width;
  const int source = lane + static_cast<int>(delta);
  return cuda_on_cpu::WarpValues<T>({site_file, site_line}, "__shfl_down_sync", mask, value)
      .of(source >= end ? lane : source);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, CUDA_ON_CPU_SITE) {
  const int lane = cuda_on_cpu::own_lane(), end = (lane & ~(width - 1)) + width;
  const int source = lane ^ lanes;
  return cuda_on_cpu::WarpValues<T>({site_file, site_line}, "__shfl_xor_sync", mask, value)
      .of(source >= end ? lane : source);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, CUDA_ON_CPU_SITE) {
  const cuda_on_cpu::WarpValues<int> votes({site_file, site_line}, "__ballot_sync", mask,
                                           predicate != 0);
  unsigned ballot = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (votes.has(lane) && votes.of(lane) != 0) ballot |= 1u << lane;
  }
  return ballot;
}

inline int __any_sync(unsigned mask, int predicate, CUDA_ON_CPU_SITE) {
  return __ballot_sync(mask, predicate, site_file, site_line) != 0;
}

inline int __all_sync(unsigned mask, int predicate, CUDA_ON_CPU_SITE) {
  return __ballot_sync(mask, !predicate, site_file, site_line) == 0;
}

template <class T>
unsigned __match_any_sync(unsigned mask, T value, CUDA_ON_CPU_SITE) {
  const cuda_on_cpu::WarpValues<T> values({site_file, site_line}, "__match_any_sync", mask, value);
  unsigned equal = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (values.has(lane) && values.of(lane) == value) equal |= 1u << lane;
  }
  return equal;
}

namespace cuda_on_cpu {

template <class T, class Combine>
T reduce(Site site, const char* operation, unsigned mask, T value, Combine combine) {
  const WarpValues<T> values(site, operation, mask, value);
  T result = value;
  for (int lane = 0; lane < 32; ++lane) {
    if (lane != cuda_on_cpu::own_lane() && values.has(lane))
      result = combine(result, values.of(lane));
  }
  return result;
}

}  // namespace cuda_on_cpu

/// The hardware's integer reductions, whose order does not matter.
template <class T>
T __reduce_add_sync(unsigned mask, T value, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::reduce({site_file, site_line}, "__reduce_add_sync", mask, value,
                             [](T a, T b) { return static_cast<T>(a + b); });
}
template <class T>
T __reduce_min_sync(unsigned mask, T value, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::reduce({site_file, site_line}, "__reduce_min_sync", mask, value,
                             [](T a, T b) { return b < a ? b : a; });
}
template <class T>
T __reduce_max_sync(unsigned mask, T value, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::reduce({site_file, site_line}, "__reduce_max_sync", mask, value,
                             [](T a, T b) { return a < b ? b : a; });
}

/// Every lane that has not left the kernel, which a GPU does not promise.
inline unsigned __activemask() { return cuda_on_cpu::active_lanes(); }
