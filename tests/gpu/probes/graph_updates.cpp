// Whether a recorded pass takes the next batch's launches, or is made ready anew, which takes far
// longer: forward and backward of one T and B with three sets of lengths, by each kind of
// persistent kernel (cooperative launches, clusters, memsets) and stepwise, through
// kernels/device/graph.h.
#include <chrono>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/graph.h"
#include "tests/gpu/probes/probe.h"
#include "tests/gpu/programs/device_pass.h"

namespace sluice::probes {
namespace {

using test::CudaQueue;
using test::DevicePass;
using test::LayerInputs;
using test::other_bits;
using test::OutputBytes;

double microseconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

void record(const Queue& queue, const DevicePass& pass) {
  begin_recording(queue);
  pass.forward();
  pass.backward();
}

/// Rows of T, 1 and lengths between, other ones for each `seed`; all have a row of T.
SequenceLayout layout_of(std::int32_t steps, std::int32_t batch, int seed) {
  std::vector<std::int32_t> lengths{steps};
  for (std::int32_t i = 1; i < batch; ++i) lengths.push_back(1 + (i * 7 + seed * 5) % steps);
  return SequenceLayout(lengths);
}

/// cudaGraphExecUpdate's own answer for the graphs of two layouts.
std::string answer(const Queue& queue, DevicePass& pass, const SequenceLayout& from,
                   const SequenceLayout& to) {
  cudaGraph_t graphs[2] = {};
  const SequenceLayout* const layouts[] = {&from, &to};
  for (int i = 0; i < 2; ++i) {
    pass.set_layout(*layouts[i]);
    record(queue, pass);
    cuda::check(cudaStreamEndCapture(static_cast<cudaStream_t>(queue.stream), &graphs[i]),
                "recording a pass");
  }
  cudaGraphExec_t ready = nullptr;
  cudaGraphExecUpdateResultInfo info = {};
  cuda::check(cudaGraphInstantiate(&ready, graphs[0], 0), "making a recorded pass ready");
  const cudaError_t status = cudaGraphExecUpdate(ready, graphs[1], &info);
  static_cast<void>(cudaGetLastError());
  cuda::check(cudaGraphExecDestroy(ready), "destroying a graph");
  for (const cudaGraph_t graph : graphs) cuda::check(cudaGraphDestroy(graph), "destroying a graph");
  constexpr const char* reasons[] = {"success",
                                     "an error",
                                     "the topology changed",
                                     "a node's kind changed",
                                     "a kernel changed",
                                     "a node's arguments changed",
                                     "it is not supported",
                                     "a kernel's change is not supported",
                                     "attributes changed"};
  const auto reason = static_cast<std::size_t>(info.result);
  return std::string(status == cudaSuccess ? "taken" : cudaGetErrorName(status)) + ": " +
         (reason < std::size(reasons) ? reasons[reason] : "result " + std::to_string(reason));
}

struct Setting {
  Algorithm algorithm;
  std::int64_t hidden;
  bool must_be_taken;
};

void measure(Finding& finding, const Setting& setting) {
  const CudaQueue owner;
  const Queue& queue = owner;
  RecurrentConfig config;
  config.data_type = DataType::bfloat16;
  config.input_size = full_or_small(128, 8);
  config.hidden_size = small() ? 34 : setting.hidden;
  const std::int32_t steps = full_or_small(64, 4), batch = full_or_small(32, 9);
  const SequenceLayout largest = SequenceLayout::equal(steps, batch);
  const LayerInputs inputs(queue, config, largest.rows(), batch);
  DevicePass pass(queue, config, setting.algorithm, largest, inputs);
  std::vector<SequenceLayout> layouts;
  for (int seed = 0; seed < 3; ++seed) layouts.push_back(layout_of(steps, batch, seed));

  void* graph = nullptr;
  int made_again = 0;
  std::vector<double> updates;
  double made = 0.0;
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    pass.set_layout(layouts[i]);
    OutputBytes plain, launched;
    pass.spoil();
    pass.forward();
    pass.backward();
    download(queue, pass, plain);
    pass.spoil();
    synchronize(queue);
    record(queue, pass);
    bool anew = false;
    const double taken = microseconds_of([&] { anew = end_recording(queue, graph); });
    if (i == 0) {
      made = taken;
    } else {
      updates.push_back(taken);
      made_again += anew ? 1 : 0;
    }
    launch_graph(queue, graph);
    download(queue, pass, launched);
    const std::string other = other_bits(plain, launched);
    if (!other.empty() && finding.failed.empty())
      finding.failed = "the recorded pass gives other bits in " + other;
  }
  destroy_graph(graph);
  finding.detail = "cudaGraphExecUpdate: " + answer(queue, pass, layouts[0], layouts[1]);
  finding.add("us_to_make_ready", made);
  finding.add("us_to_update", median(updates));
  finding.add("made_again", made_again);
  if (made_again != 0 && setting.must_be_taken && finding.failed.empty()) {
    finding.failed = std::to_string(made_again) +
                     " of 2 batches of the same T and B were made ready anew; " + finding.detail;
  }
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice;
  using namespace sluice::probes;
  // Stepwise launches other kernels for other rows, and may be made ready anew.
  static constexpr Setting settings[] = {{Algorithm::persistent_block, 64, true},
                                         {Algorithm::persistent_cluster, 256, true},
                                         {Algorithm::persistent_grid, 768, true},
                                         {Algorithm::stepwise, 256, false}};
  Probe probe{"graph_updates", "whether a recorded pass takes the next batch's launches", {}};
  for (const Setting& setting : settings) {
    probe.cases.push_back({std::string("graph_updates/") + name_of(setting.algorithm),
                           [&setting](Finding& finding) { measure(finding, setting); }});
  }
  return run_probe(argc, argv, probe);
}
