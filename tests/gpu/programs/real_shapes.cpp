// The persistent kernels at the sizes that they are for: the layers of
// bench/layers/reference_shapes.h that one of them takes, T up to 1500 and up to 128 resident
// blocks, rows of equal and of different lengths, forward and backward, every number type and every
// kind that fits. Each output is compared with stepwise's, and must have the same bits three times.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/layers/reference_shapes.h"
#include "bench/measure/device_state.h"
#include "engine/loops/persistent.h"
#include "kernels/device/device.h"
#include "tests/gpu/programs/device_pass.h"
#include "tests/gpu/programs/json_lines.h"

namespace {

using namespace sluice;
using namespace sluice::test;

constexpr int times = 3;
constexpr Algorithm persistent_algorithms[] = {
    Algorithm::persistent_block, Algorithm::persistent_cluster, Algorithm::persistent_grid};

struct Arithmetic {
  const char* name;
  DataType type;
  MatrixMath math;
};
constexpr Arithmetic arithmetics[] = {{"bfloat16", DataType::bfloat16, MatrixMath::ieee},
                                      {"float16", DataType::float16, MatrixMath::ieee},
                                      {"tf32", DataType::float32, MatrixMath::tf32},
                                      {"float32", DataType::float32, MatrixMath::ieee}};

struct RealCase {
  std::string name;
  RecurrentConfig config;
  std::int32_t steps, batch;
  bool ragged;

  std::vector<std::int32_t> lengths() const {
    std::vector<std::int32_t> all(static_cast<std::size_t>(batch), steps);
    if (!ragged) return all;
    // A row of T, one of 1, and between them every size in an order that is not sorted.
    for (std::int32_t i = 1; i < batch; ++i) {
      all[static_cast<std::size_t>(i)] =
          1 + static_cast<std::int32_t>(std::int64_t{i} * 7919 % batch * (steps - 1) / batch);
    }
    all[static_cast<std::size_t>(batch - 1)] = 1;
    return all;
  }
};

/// `small`: what a CPU can execute.
std::vector<RealCase> real_cases(bool small) {
  std::vector<bench::ReferenceShape> shapes(std::begin(bench::reference_shapes),
                                            std::end(bench::reference_shapes));
  const auto work = [](const bench::ReferenceShape& shape) {
    return static_cast<double>(shape.steps) * shape.batch *
           static_cast<double>(shape.input + shape.hidden);
  };
  std::stable_sort(shapes.begin(), shapes.end(),
                   [&](const auto& a, const auto& b) { return work(a) < work(b); });
  std::vector<RealCase> cases;
  for (const bench::ReferenceShape& shape : shapes) {
    for (const Arithmetic& arithmetic : arithmetics) {
      for (const bool ragged : {false, true}) {
        RealCase one;
        one.config.cell = shape.cell;
        one.config.data_type = arithmetic.type;
        one.config.math = arithmetic.math;
        one.config.hidden_size = small ? std::min<std::int64_t>(shape.hidden, 40) : shape.hidden;
        one.config.input_size = small ? std::min<std::int64_t>(shape.input, 24) : shape.input;
        one.steps = small ? std::min(shape.steps, 4) : shape.steps;
        one.batch = small ? std::min(shape.batch, 11) : shape.batch;
        one.ragged = ragged;
        one.name = std::string(sluice::name_of(shape.cell)) + "_t" + std::to_string(shape.steps) +
                   "_b" + std::to_string(shape.batch) + "_h" + std::to_string(shape.hidden) + "_" +
                   arithmetic.name + (ragged ? "_ragged" : "_equal");
        cases.push_back(one);
      }
    }
  }
  return cases;
}

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

struct PassTimes {
  double forward = 0.0, backward = 0.0;  ///< ms, with the wait for the device
};

PassTimes run_once(const Queue& queue, const DevicePass& pass) {
  pass.spoil();
  synchronize(queue);
  PassTimes taken;
  auto begin = std::chrono::steady_clock::now();
  pass.forward();
  synchronize(queue);
  taken.forward = milliseconds_since(begin);
  begin = std::chrono::steady_clock::now();
  pass.backward();
  synchronize(queue);
  taken.backward = milliseconds_since(begin);
  return taken;
}

std::string describe(const PersistentFit& fit) {
  return std::to_string(fit.groups) + " groups of " + std::to_string(fit.rows) + " rows in " +
         std::to_string(fit.blocks) + " blocks, " + std::to_string(fit.waves()) + " waves";
}

/// How far an output is from stepwise's, as a part of what is allowed; NaN if there is one.
double error_of(const RealCase& one, const DeviceOutput& output, const OutputBytes& got,
                const OutputBytes& expected) {
  const Difference apart = difference(output.type, got.at(output.name), expected.at(output.name));
  const DataType type = one.config.data_type;
  const MatrixMath math = one.config.math;
  const double largest = apart.largest / allowed_difference(type, math, output.terms);
  const double mean = apart.mean / allowed_mean_difference(type, math, output.terms);
  return mean <= largest ? largest : mean;
}

/// Runs the passes three times. `got` is memory that is used again.
CaseResult compare(const Queue& queue, const RealCase& one, const DevicePass& pass,
                   const OutputBytes& expected, OutputBytes& got) {
  std::map<std::string, std::uint64_t> bits;
  std::string complaints, worst_name;
  JsonFields errors;
  double worst = 0.0;
  PassTimes taken;
  for (int time = 1; time <= times && complaints.empty(); ++time) {
    taken = run_once(queue, pass);
    download(queue, pass, got);
    for (const DeviceOutput& output : pass.outputs()) {
      const std::uint64_t hash = hash_of(got.at(output.name));
      const bool first = bits.emplace(output.name, hash).second;
      if (!first && hash != bits[output.name]) {
        complaints += "other bits in " + output.name + " in run " + std::to_string(time) + "; ";
      }
      if (!first) continue;
      const double error = error_of(one, output, got, expected);
      errors.add(output.name, error);
      if (!(error <= worst)) worst = error, worst_name = output.name;
      if (error <= 1.0) continue;  // false for NaN
      complaints += output.name + " is away from stepwise's by " + std::to_string(error) +
                    " times what is allowed; ";
    }
  }
  CaseResult result;
  result.kind = complaints.empty() ? CaseResult::passed : CaseResult::failed;
  result.detail = !complaints.empty()
                      ? complaints
                      : std::to_string(times) + " runs alike, the largest error " +
                            std::to_string(worst) + " of what is allowed, in " + worst_name;
  result.more.add("errors", errors).add("allowed", 1.0);
  result.more.add("values",
                  JsonFields().add("forward_ms", taken.forward).add("backward_ms", taken.backward));
  return result;
}

CaseResult run_case(const Queue& queue, const RealCase& one, JsonLines& lines) {
  std::vector<Algorithm> fitting;
  for (const Algorithm algorithm : persistent_algorithms) {
    const PersistentFit fit = persistent_fit_of_training(one.config, algorithm, one.batch);
    if (fit.fits) {
      fitting.push_back(algorithm);
    } else {
      lines.write(one.name + "/" + name_of(algorithm), {CaseResult::skipped, fit.why_not});
    }
  }
  if (fitting.empty()) return {CaseResult::skipped, "no persistent algorithm takes it"};
  const SequenceLayout layout(one.lengths());
  const LayerInputs inputs(queue, one.config, layout.rows(), layout.batch());
  OutputBytes expected, got;
  {
    const DevicePass stepwise(queue, one.config, Algorithm::stepwise, layout, inputs);
    run_once(queue, stepwise);
    download(queue, stepwise, expected);
  }
  CaseResult all;
  for (const Algorithm algorithm : fitting) {
    const std::string cut = describe(persistent_fit_of_training(one.config, algorithm, one.batch));
    CaseResult result;
    try {
      const DevicePass pass(queue, one.config, algorithm, layout, inputs);
      result = compare(queue, one, pass, expected, got);
      result.detail = cut + "; " + result.detail;
    } catch (const std::exception& error) {
      result = {CaseResult::failed, error.what()};
    }
    if (result.kind == CaseResult::failed) {
      all.kind = CaseResult::failed;
      all.detail += std::string(name_of(algorithm)) + ": " + result.detail;
    }
    lines.write(one.name + "/" + name_of(algorithm), result);
  }
  if (all.kind == CaseResult::passed)
    all.detail = std::to_string(fitting.size()) + " algorithms beside stepwise";
  return all;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef SLUICE_IMAGINED_GPU
  bool small = true;
#else
  bool small = false;
#endif
  std::unique_ptr<CudaQueue> queue;
  LineProgram program;
  program.name = "gpu_real_shapes";
  program.purpose = "persistent kernels at real sizes beside stepwise, the same bits three times";
  program.options = {{"--small", "", "short sequences, small batches and layers",
                      [&](const std::string&) { small = true; }}};
  program.cases = [&] {
    std::vector<LineCase> cases;
    for (const RealCase& one : real_cases(small)) {
      cases.push_back(
          {one.name, [&queue, one](JsonLines& lines) { return run_case(*queue, one, lines); }});
    }
    return cases;
  };
  program.why_skipped = [&] {
    const std::string why = cuda_devices().problem;
    if (why.empty()) queue = std::make_unique<CudaQueue>();
    return why;
  };
  program.why_broken = &bench::why_context_is_broken;
  return run_line_program(argc, argv, program);
}
