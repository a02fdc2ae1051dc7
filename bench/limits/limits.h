// The least time that a piece of work can take on the device of this run.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/layers/layer_problem.h"
#include "bench/limits/cpu_peaks.h"
#include "bench/limits/gpu_limit.h"
#include "kernels/queue.h"

namespace sluice::bench {

/// On a CPU: the measured rates of multiply-adds and of memory. On a GPU: the limit model.
class Limits {
 public:
  Limits(const Queue& queue, std::size_t cache_bytes, GpuMath math);

  double layer_seconds(const LayerProblem& problem) const;

  /// Of a kernel that does `flops` in float32 and moves `bytes`.
  double kernel_seconds(double flops, double bytes) const;

  /// For the report's context.
  nlohmann::ordered_json describe() const;

 private:
  CpuPeaks cpu_;
  std::optional<GpuPeaks> gpu_;
};

}  // namespace sluice::bench
