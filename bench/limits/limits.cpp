#include "bench/limits/limits.h"

#include <algorithm>

#include "engine/choice/cost_model.h"
#include "kernels/device/device.h"

namespace sluice::bench {

Limits::Limits(const Queue& queue, std::size_t cache_bytes) {
  if (queue.device == DeviceKind::cpu) {
    cpu_ = measure_cpu_peaks(queue, cache_bytes);
    return;
  }
  for (const CudaDevice& device : cuda_devices().devices) {
    if (device.ordinal == queue.ordinal) gpu_ = rates_of(device);
  }
  if (!gpu_) gpu_ = h200_rates();
}

double Limits::layer_seconds(const LayerProblem& problem) const {
  if (!gpu_) return cpu_.seconds(problem.flops(), problem.compulsory_bytes());
  const PassTime least = limit(problem.config, problem.shape(), *gpu_);
  return least.forward + (problem.training ? least.backward : 0.0);
}

double Limits::kernel_seconds(double flops, double bytes) const {
  if (!gpu_) return cpu_.seconds(flops, bytes);
  return std::max(flops / gpu_->float32, bytes / gpu_->bandwidth);
}

nlohmann::ordered_json Limits::describe(DataType type, MatrixMath math) const {
  if (gpu_) {
    return {{"model", "limit() of engine/choice/cost_model.h with the rates of " + gpu_->name},
            {"multiprocessors", gpu_->multiprocessors},
            {"clock_mhz", gpu_->clock * 1e-6},
            {"tflops", gpu_->products(type, math) * 1e-12},
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
