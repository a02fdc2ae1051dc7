// Prints bench/predictions.md: what the cost model expects of an H200, shape by shape, before and
// beside any measurement.
//   build/bin/predictions > bench/predictions.md
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "engine/algorithm_choice.h"

namespace sluice {
namespace {

struct Shape {
  Cell cell;
  std::int32_t steps, batch;
  std::int64_t input, hidden;
};
// Those of the project's performance reference: FlashRNN's, DeepBench's, IMDB's.
constexpr Shape shapes[] = {
    {Cell::lstm, 512, 64, 512, 512},    {Cell::lstm, 1024, 16, 768, 768},
    {Cell::lstm, 25, 64, 512, 512},     {Cell::lstm, 25, 64, 1024, 1024},
    {Cell::lstm, 25, 64, 2048, 2048},   {Cell::lstm, 25, 128, 4096, 4096},
    {Cell::gru, 1500, 32, 2816, 2816},  {Cell::gru, 1500, 32, 1024, 1024},
    {Cell::lstm, 400, 256, 128, 64},
};

struct Arithmetic {
  const char* name;
  DataType type;
  MatrixMath math;
};
constexpr Arithmetic arithmetics[] = {{"bfloat16", DataType::bfloat16, MatrixMath::ieee},
                                      {"float16", DataType::float16, MatrixMath::ieee},
                                      {"TF32", DataType::float32, MatrixMath::tf32},
                                      {"float32", DataType::float32, MatrixMath::ieee}};

std::string pair(const PassTime& time) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f / %.3f", time.forward * 1e3, time.backward * 1e3);
  return text;
}

void print_row(const Shape& shape, const Arithmetic& arithmetic, const GpuDescription& gpu) {
  RecurrentConfig config;
  config.cell = shape.cell;
  config.input_size = shape.input;
  config.hidden_size = shape.hidden;
  config.data_type = arithmetic.type;
  config.math = arithmetic.math;
  const PassShape pass{std::int64_t{shape.steps} * shape.batch, shape.steps, shape.batch, true};
  const std::vector<AlgorithmCandidate> candidates = algorithm_candidates(config, pass, gpu);
  const AlgorithmCandidate& best = candidates.front();
  std::printf("| %s H %lld, I %lld, B %d, T %d | %s | `%s`: %s | %s | %s | %s | %s | - |\n",
              name_of(shape.cell), static_cast<long long>(shape.hidden),
              static_cast<long long>(shape.input), shape.batch, shape.steps, arithmetic.name,
              name_of(best.algorithm), best.cut.c_str(), pair(best.cost.predicted).c_str(),
              pair(limit(config, pass, gpu.rates)).c_str(),
              pair(stepwise_cost(config, pass, gpu.rates).predicted).c_str(),
              pair(cudnn_cost(config, pass, gpu.rates).predicted).c_str());
}

void print_assumptions(const GpuRates& rates) {
  const auto latency = [](const char* what, const GpuRates::Latency& of) {
    std::printf("| %s | %.2f us | %.2f us |\n", what, of.floor * 1e6, of.target * 1e6);
  };
  std::printf("\n## Assumptions\n\n%s: %d multiprocessors at %.2f GHz, %.0f TFLOP/s in 16 bits, %.0f in "
              "TF32, %.0f in float32, %.2f TB/s of memory, %.1f TB/s of L2 cache. The formulas are at "
              "the top of `engine/cost_model.h`, the constants in `engine/gpu_rates.cpp`.\n\n"
              "| latency | least | expected |\n|---|---|---|\n",
              rates.name.c_str(), rates.multiprocessors, rates.clock * 1e-9, rates.tensor_16 * 1e-12,
              rates.tensor_tf32 * 1e-12, rates.float32 * 1e-12, rates.bandwidth * 1e-12,
              rates.cache_bandwidth * 1e-12);
  latency("exchange within a block", rates.block_exchange);
  latency("exchange within a cluster", rates.cluster_exchange);
  latency("exchange over the grid", rates.grid_exchange);
  latency("element-wise part of a step", rates.pointwise);
  std::printf("\nstepwise: %.1f us between a kernel's end and the next's start in a CUDA graph, %.1f us "
              "for the shortest kernel. cuDNN: 1.96 us a step where its persistent algorithm takes the "
              "call, 6.8 us where only the standard one does (both FlashRNN's figures, H100), 1.5 us "
              "for small hidden sizes (an estimate).\n",
              rates.dependent_kernel * 1e6, rates.smallest_kernel * 1e6);
}

}  // namespace
}  // namespace sluice

int main() {
  using namespace sluice;
  const GpuDescription gpu = described_h200();
  std::printf("# Predictions for an %s\n\nMilliseconds, forward / backward, input product included. None "
              "of these is a measurement; the last column waits for one. Made by "
              "`build/bin/predictions`.\n\n"
              "| shape | arithmetic | chosen algorithm | predicted | limit | stepwise | cuDNN | measured "
              "|\n|---|---|---|---|---|---|---|---|\n",
              gpu.rates.name.c_str());
  for (const Shape& shape : shapes) {
    for (const Arithmetic& arithmetic : arithmetics) print_row(shape, arithmetic, gpu);
  }
  print_assumptions(gpu.rates);
}
