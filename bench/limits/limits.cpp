#include "bench/limits/limits.h"

#include <algorithm>

namespace sluice::bench {

Limits::Limits(const Queue& queue, std::size_t cache_bytes, GpuMath math) {
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) {
    gpu_ = gpu_peaks(queue.ordinal, math);
    return;
  }
#endif
  static_cast<void>(math);
  cpu_ = measure_cpu_peaks(queue, cache_bytes);
}

double Limits::layer_seconds(const LayerProblem& problem) const {
  if (gpu_) return gpu_limit(problem, *gpu_);
  return cpu_.seconds(problem.flops(), problem.compulsory_bytes());
}

double Limits::kernel_seconds(double flops, double bytes) const {
  if (gpu_) return std::max(flops / gpu_->flops, bytes / gpu_->bandwidth);
  return cpu_.seconds(flops, bytes);
}

nlohmann::ordered_json Limits::describe() const {
  if (gpu_) {
    return {{"model", "multiprocessors, clocks and the step of limits/gpu_limit.h"},
            {"multiprocessors", gpu_->multiprocessors},
            {"clock_mhz", gpu_->clock * 1e-6},
            {"tflops", gpu_->flops * 1e-12},
            {"gigabytes_per_second", gpu_->bandwidth * 1e-9}};
  }
  nlohmann::ordered_json found = {{"model", "measured: multiply-adds, and reading memory"},
                                  {"tflops", cpu_.flops * 1e-12},
                                  {"gigabytes_per_second", nlohmann::ordered_json::object()}};
  for (const CpuPeaks::Bandwidth& each : cpu_.bandwidths) {
    found["gigabytes_per_second"][std::to_string(each.bytes >> 10) + " KiB"] = each.rate * 1e-9;
  }
  return found;
}

}  // namespace sluice::bench
