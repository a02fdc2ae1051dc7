// Prints bench/predictions.md: what the cost model expects of a GPU, shape by shape, beside it what
// a reader of the machine code expects, and what was measured, where there are result files of the
// suites `figures` or `shape`:
//   build/bin/predictions [--gpu h100] [--measured run.json ...] > bench/predictions.md
// With --json an object a row. Exit codes: 0; 1 for failures at run time; 2 for wrong usage.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "bench/report/estimates.h"
#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

struct Arguments {
  std::string gpu;
  std::vector<std::string> measured;
  bool json = false;
};

// The measurements, and where they are from. Errors: usage for a run on a CPU, or on several
// machines.
struct Measured {
  explicit Measured(const std::vector<std::string>& paths) : passes(Report::read(paths)) {
    for (const std::string& path : paths) {
      const nlohmann::ordered_json context = Report::read({path}).document()["context"];
      require(context.value("device", "cpu") != "cpu",
              "--measured: " + path +
                  ": expected a run on a GPU, got one on a CPU; see sluice-bench "
                  "--device cuda");
      const std::string of = context.value("machine", "an unnamed machine");
      require(machine.empty() || machine == of, "--measured: " + path + " was measured on " + of +
                                                    ", another file on " + machine +
                                                    "; name those of one");
      machine = of;
      if (date.empty()) date = context.value("date", "undated");
    }
  }

  MeasuredPasses passes;
  std::string machine, date;
};

// Of known_gpus(), the one that a machine's name holds, such as "NVIDIA H100 80GB HBM3"; or "".
std::string gpu_in(std::string machine) {
  std::transform(machine.begin(), machine.end(), machine.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string& known : known_gpus()) {
    if (machine.find(known) != std::string::npos) return known;
  }
  return "";
}

// That of --gpu, else the one that was measured, else an H200.
GpuDescription wanted_gpu(const Arguments& arguments, const std::optional<Measured>& measured) {
  const std::string found = measured ? gpu_in(measured->machine) : "";
  if (arguments.gpu.empty()) return described_gpu(found.empty() ? known_gpus().front() : found);
  const GpuDescription gpu = described_gpu(arguments.gpu);
  require(found.empty() || found == arguments.gpu,
          "--gpu: expected " + found + ", on which --measured was measured (" +
              (measured ? measured->machine : "") + "), got " + arguments.gpu);
  return gpu;
}

void print_introduction(const GpuRates& rates, const std::optional<Measured>& measured) {
  std::printf(
      "# Estimates for an %s\n\n"
      "Milliseconds, forward / backward, input product included. Made by `build/bin/predictions`. "
      "*Predicted*, *limit*, *stepwise* and *cuDNN* are estimates by the cost model, whose "
      "latencies %s. *Likely* is what %s, expects of the present code: an estimate too, for the "
      "shapes that it looked at; `?` where it gives none.\n\n",
      rates.name.c_str(),
      rates.measured.empty() ? "are assumed" : ("were measured on " + rates.measured).c_str(),
      kLikelySource);
  if (!measured) {
    std::printf("None of these is a measurement; the last column waits for one.\n\n");
    return;
  }
  std::printf(
      "The last column was measured on %s, %s, by `sluice-bench`: forward is an inference pass, "
      "backward "
      "what a training pass takes beyond it; another algorithm than the predicted one is "
      "named.\n\n",
      measured->machine.c_str(), measured->date.c_str());
}

void print_assumptions(const GpuRates& rates) {
  const auto latency = [](const char* what, const GpuRates::Latency& of) {
    std::printf("| %s | %.2f us | %.2f us |\n", what, of.floor * 1e6, of.target * 1e6);
  };
  std::printf(
      "\n## Assumptions\n\n%s: %d multiprocessors at %.2f GHz, %.0f TFLOP/s in 16 bits, %.0f in "
      "TF32, %.0f in float32, %.2f TB/s of memory, %.1f TB/s of L2 cache. The formulas are at "
      "the top of `engine/choice/cost_model.h`, the constants in `engine/choice/gpu_rates.cpp`, "
      "the likely times "
      "in "
      "`bench/report/likely_times.cpp`.\n\n"
      "| latency | least | expected |\n|---|---|---|\n",
      rates.name.c_str(), rates.multiprocessors, rates.clock * 1e-9, rates.tensor_16 * 1e-12,
      rates.tensor_tf32 * 1e-12, rates.float32 * 1e-12, rates.bandwidth * 1e-12,
      rates.cache_bandwidth * 1e-12);
  latency("exchange within a block", rates.block_exchange);
  latency("exchange within a cluster", rates.cluster_exchange);
  latency("exchange over the grid", rates.grid_exchange);
  latency("element-wise part of a step", rates.pointwise);
  std::printf(
      "\nstepwise: %.1f us between a kernel's end and the next's start in a CUDA graph, %.1f us "
      "for the shortest kernel. cuDNN: 1.96 us a step where its persistent algorithm takes the "
      "call, 6.8 us where only the standard one does (both FlashRNN's figures, H100), 1.5 us "
      "for small hidden sizes (an estimate).\n",
      rates.dependent_kernel * 1e6, rates.smallest_kernel * 1e6);
}

void print(const Arguments& arguments) {
  std::optional<Measured> measured;
  if (!arguments.measured.empty()) measured.emplace(arguments.measured);
  const GpuDescription gpu = wanted_gpu(arguments, measured);
  const std::vector<Estimate> all = estimates(gpu, measured ? &measured->passes : nullptr);
  if (arguments.json) {
    for (const Estimate& each : all) std::puts(estimate_object(each, gpu.rates).dump().c_str());
    return;
  }
  print_introduction(gpu.rates, measured);
  std::fputs(estimate_heading().c_str(), stdout);
  for (const Estimate& each : all) std::fputs(estimate_row(each).c_str(), stdout);
  print_assumptions(gpu.rates);
}

std::string names(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& name : all) text += (text.empty() ? "" : ", ") + name;
  return text;
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Prints what is expected of Sluice's layers on a GPU, and what was measured.",
               "predictions");
  app.add_option("--gpu", arguments.gpu,
                 "Which GPU, of: " + names(known_gpus()) + "; default: that of --measured, else " +
                     known_gpus().front())
      ->transform(CLI::IsMember(known_gpus(), CLI::ignore_case));
  app.add_option("--measured", arguments.measured,
                 "One or more result files of sluice-bench on such a GPU, suite figures or shape");
  app.add_flag("--json", arguments.json, "An object a row instead of the table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "predictions: %s; see predictions --help\n", error.what());
    return 2;
  }
  print(arguments);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  try {
    return sluice::bench::run(argc, argv);
  } catch (const sluice::Error& error) {
    std::fprintf(stderr, "predictions: %s\n", error.what());
    return error.kind() == sluice::Error::Kind::usage ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "predictions: unexpected failure: %s\n", error.what());
    return 1;
  }
}
