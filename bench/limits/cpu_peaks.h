// What this CPU can do at most, measured: multiply-adds, and reading memory.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/base/queue.h"

namespace sluice::bench {

/// Of all of a queue's threads together.
struct CpuPeaks {
  double flops = 0;  ///< float32 a second; a multiply-add counts as two

  struct Bandwidth {
    std::size_t bytes;  ///< read again and again
    double rate;        ///< bytes a second
  };
  std::vector<Bandwidth> bandwidths;  ///< by rising bytes: from a first-level cache to the memory

  /// Of the largest measured footprint that is not above `bytes`.
  double bandwidth(std::size_t bytes) const;

  /// The longer of the two.
  double seconds(double work, double bytes) const;
};

/// Takes about two seconds. `cache_bytes`: of the last cache.
CpuPeaks measure_cpu_peaks(const Queue& queue, std::size_t cache_bytes);

}  // namespace sluice::bench
