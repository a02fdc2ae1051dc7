// Prints bench/predictions.md: what the cost model expects of an H200, shape by shape, and beside it
// what was measured on a GPU, where there is a result file of the suite `figures`:
//   build/bin/predictions [--measured run.json] > bench/predictions.md
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "bench/layers/reference_shapes.h"
#include "bench/report/measured_passes.h"
#include "engine/algorithm_choice.h"
#include "kernels/error.h"

namespace sluice::bench {
namespace {

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

std::string measured_of(const LayerProblem& problem, const std::optional<MeasuredPasses>& passes,
                        const AlgorithmCandidate& predicted) {
  const std::optional<MeasuredPass> found = passes ? passes->find(problem) : std::nullopt;
  if (!found) return "-";
  const bool same = found->algorithm == name_of(predicted.algorithm);
  return pair({found->forward, found->backward}) + (same ? "" : " (`" + found->algorithm + "`)");
}

void print_row(const ReferenceShape& shape, const Arithmetic& arithmetic, const GpuDescription& gpu,
               const std::optional<MeasuredPasses>& passes) {
  LayerProblem problem;
  RecurrentConfig& config = problem.config;
  config.cell = shape.cell;
  config.input_size = shape.input;
  config.hidden_size = shape.hidden;
  config.data_type = arithmetic.type;
  config.math = arithmetic.math;
  problem.steps = shape.steps;
  problem.batch = shape.batch;
  problem.training = true;
  const PassShape pass = problem.shape();
  const std::vector<AlgorithmCandidate> candidates = algorithm_candidates(config, pass, gpu);
  const AlgorithmCandidate& best = candidates.front();
  std::printf("| %s H %lld, I %lld, B %d, T %d | %s | `%s`: %s | %s | %s | %s | %s | %s |\n",
              sluice::name_of(shape.cell), static_cast<long long>(shape.hidden),
              static_cast<long long>(shape.input), shape.batch, shape.steps, arithmetic.name,
              sluice::name_of(best.algorithm), best.cut.c_str(), pair(best.cost.predicted).c_str(),
              pair(limit(config, pass, gpu.rates)).c_str(),
              pair(stepwise_cost(config, pass, gpu.rates).predicted).c_str(),
              pair(cudnn_cost(config, pass, gpu.rates).predicted).c_str(),
              measured_of(problem, passes, best).c_str());
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

// What the last column is, as a sentence. Errors: usage for a run on a CPU.
std::string origin(const Report& report) {
  const nlohmann::ordered_json& context = report.document()["context"];
  require(context.value("device", "cpu") != "cpu",
          "--measured: expected a run on a GPU, got one on a CPU; see sluice-bench --device cuda");
  return "The last column was measured on " + context.value("machine", "an unnamed machine") + ", " +
         context.value("date", "undated") +
         ", by `sluice-bench`: forward is an inference pass, backward what a training pass takes beyond "
         "it; another algorithm than the predicted one is named.";
}

int run(const std::string& measured) {
  std::optional<MeasuredPasses> passes;
  std::string last_column = "None of these is a measurement; the last column waits for one.";
  if (!measured.empty()) {
    const Report report = Report::read({measured});
    last_column = origin(report);
    passes.emplace(report);
  }
  const GpuDescription gpu = described_h200();
  std::printf("# Predictions for an %s\n\nMilliseconds, forward / backward, input product included. %s "
              "Made by `build/bin/predictions`.\n\n"
              "| shape | arithmetic | chosen algorithm | predicted | limit | stepwise | cuDNN | measured "
              "|\n|---|---|---|---|---|---|---|---|\n",
              gpu.rates.name.c_str(), last_column.c_str());
  for (const ReferenceShape& shape : reference_shapes) {
    for (const Arithmetic& arithmetic : arithmetics) print_row(shape, arithmetic, gpu, passes);
  }
  print_assumptions(gpu.rates);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  const bool measured = argc == 3 && std::string(argv[1]) == "--measured";
  if (argc != 1 && !measured) {
    std::fprintf(stderr, "usage: predictions [--measured run.json]\n");
    return 2;
  }
  try {
    return sluice::bench::run(measured ? argv[2] : "");
  } catch (const sluice::Error& error) {
    std::fprintf(stderr, "predictions: %s\n", error.what());
    return error.kind() == sluice::Error::Kind::usage ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "predictions: unexpected failure: %s\n", error.what());
    return 1;
  }
}
