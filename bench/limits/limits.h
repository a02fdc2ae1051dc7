// The least time that a piece of work can take on the device of this run.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/layers/layer_problem.h"
#include "bench/limits/cpu_peaks.h"
#include "engine/choice/gpu_rates.h"
#include "kernels/base/queue.h"

namespace sluice::bench {

/// On a CPU: the measured rates of multiply-adds and of memory. On a GPU: the limit of
/// engine/choice/cost_model.h with the rates of engine/choice/gpu_rates.h.
class Limits {
 public:
  Limits(const Queue& queue, std::size_t cache_bytes);

  double layer_seconds(const LayerProblem& problem) const;

  /// Of a kernel that does `flops` in float32 and moves `bytes`.
  double kernel_seconds(double flops, double bytes) const;

  /// For the report's context; "tflops" is the rate of products of that type.
  nlohmann::ordered_json describe(DataType type, MatrixMath math) const;

 private:
  CpuPeaks cpu_;
  std::optional<GpuRates> gpu_;
};

}  // namespace sluice::bench
