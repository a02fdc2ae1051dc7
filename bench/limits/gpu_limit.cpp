#include "bench/limits/gpu_limit.h"

#include <algorithm>
#include <limits>

#ifdef SLUICE_WITH_CUDA
#include <cuda_runtime_api.h>

#include "kernels/cuda_check.h"
#endif

namespace sluice::bench {
namespace {

constexpr double kMicrosecond = 1e-6;
constexpr double kPointwise = 0.05 * kMicrosecond;
constexpr double kKept = 128 * 1024;  // bytes of weights that a multiprocessor keeps
constexpr double kWeightBytesAClock = 128;
constexpr double kStateBytesAClock = 64;
constexpr double kFewestColumns = 8;  // of a tensor core's product
constexpr int kLargestCluster = 16;

double sync_seconds(double sharers) {
  return (sharers <= 1 ? 0.06 : sharers <= kLargestCluster ? 0.15 : 0.50) * kMicrosecond;
}

// One step with R = `sharers` multiprocessors a group and B/C = `rows`.
double step_seconds(const LayerProblem& problem, const GpuPeaks& peaks, double sharers, double rows,
                    double exchanged) {
  const RecurrentConfig& c = problem.config;
  const double number = static_cast<double>(size_of(c.data_type));
  const double h = static_cast<double>(c.hidden_size), gh = gate_count(c.cell) * h;
  const double columns = peaks.multiply_adds > 128 ? std::max(kFewestColumns, rows) : rows;
  const double mma = gh / sharers * h * columns / peaks.multiply_adds / peaks.clock;
  const double weights =
      std::max(0.0, gh * h * number / sharers - kKept) / kWeightBytesAClock / peaks.clock;
  const double exchange =
      sharers <= 1 ? 0.0 : rows * exchanged * number / kStateBytesAClock / peaks.clock;
  return sync_seconds(sharers) + kPointwise + std::max(mma, weights) + exchange;
}

double fastest_step(const LayerProblem& problem, const GpuPeaks& peaks, double exchanged) {
  double best = std::numeric_limits<double>::infinity();
  const double all = peaks.multiprocessors;
  for (double sharers = 1; sharers <= all; ++sharers) {
    const double groups =
        std::min(std::max(1.0, static_cast<double>(static_cast<int>(all / sharers))),
                 static_cast<double>(problem.batch));
    const double rows = static_cast<double>(problem.batch) / groups;
    best = std::min(best, step_seconds(problem, peaks, sharers, rows, exchanged));
  }
  return best;
}

// Sum over layers and directions of the work outside the time loop, `products` of it.
double outside_seconds(const LayerProblem& problem, const GpuPeaks& peaks, double products) {
  const RecurrentConfig& c = problem.config;
  const double n = static_cast<double>(problem.rows());
  const double gh = static_cast<double>(gate_count(c.cell) * c.hidden_size);
  double seconds = 0;
  for (int layer = 0; layer < c.num_layers; ++layer) {
    const double input = static_cast<double>(layer == 0 ? c.input_size : c.output_size());
    const double bytes = n * (input + gh) * static_cast<double>(size_of(c.data_type));
    seconds += c.directions() * std::max(products * 2 * n * gh * input / peaks.flops,
                                         products * bytes / peaks.bandwidth);
  }
  return seconds;
}

double in_loops(const LayerProblem& problem, double step) {
  return problem.config.num_layers * problem.steps * step;  // directions run side by side
}

}  // namespace

GpuPeaks h200_peaks(GpuMath math) {
  GpuPeaks peaks{132, 1.83e9, 4.8e12, 989e12, 4096};
  if (math == GpuMath::tf32) peaks.flops = 495e12, peaks.multiply_adds = 2048;
  if (math == GpuMath::float32) peaks.flops = 67e12, peaks.multiply_adds = 128;
  return peaks;
}

#ifdef SLUICE_WITH_CUDA
GpuPeaks gpu_peaks(int ordinal, GpuMath math) {
  const auto attribute = [ordinal](cudaDeviceAttr which) {
    int value = 0;
    cuda::check(cudaDeviceGetAttribute(&value, which, ordinal), "reading a device attribute");
    return static_cast<double>(value);
  };
  GpuPeaks peaks = h200_peaks(math);
  const double multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
  const double clock = attribute(cudaDevAttrClockRate) * 1e3;
  peaks.flops *= multiprocessors * clock / (peaks.multiprocessors * peaks.clock);
  peaks.multiprocessors = static_cast<int>(multiprocessors);
  peaks.clock = clock;
  peaks.bandwidth = 2 * attribute(cudaDevAttrMemoryClockRate) * 1e3 *
                    attribute(cudaDevAttrGlobalMemoryBusWidth) / 8;
  return peaks;
}
#endif

double gpu_forward_limit(const LayerProblem& problem, const GpuPeaks& peaks) {
  const double states = static_cast<double>(problem.config.hidden_size);
  return outside_seconds(problem, peaks, 1) +
         in_loops(problem, fastest_step(problem, peaks, states));
}

double gpu_backward_limit(const LayerProblem& problem, const GpuPeaks& peaks) {
  const RecurrentConfig& c = problem.config;
  const double n = static_cast<double>(problem.rows()), h = static_cast<double>(c.hidden_size);
  const double recurrent_gradient =
      c.num_layers * c.directions() * 2 * n * gate_count(c.cell) * h * h;
  return outside_seconds(problem, peaks, 2) + recurrent_gradient / peaks.flops +
         in_loops(problem, fastest_step(problem, peaks, h));
}

double gpu_limit(const LayerProblem& problem, const GpuPeaks& peaks) {
  return gpu_forward_limit(problem, peaks) +
         (problem.training ? gpu_backward_limit(problem, peaks) : 0.0);
}

}  // namespace sluice::bench
