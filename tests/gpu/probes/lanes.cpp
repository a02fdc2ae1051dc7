// Layers of a stack that overlap on streams of their own, each a cluster kernel beside the others'
// matrix products, against the same stack on one stream: the same bits, and the times of both.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/loops/persistent.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/graph.h"
#include "kernels/device/lanes.h"
#include "tests/gpu/probes/probe.h"
#include "tests/gpu/programs/device_pass.h"

namespace sluice::probes {
namespace {

using test::CudaQueue;
using test::DevicePass;
using test::LayerInputs;
using test::other_bits;
using test::OutputBytes;

struct Setting {
  const char* name;
  Cell cell;
  DataType type;
  std::int64_t hidden;
  std::int32_t batch;
};

struct Run {
  OutputBytes outputs;
  double microseconds = 0.0;  ///< forward and backward, as one graph
  int lanes = 1;
};

Run run(const RecurrentConfig& config, const SequenceLayout& layout, std::int32_t chunk_steps,
        bool with_lanes) {
  const CudaQueue owner;
  const Queue& queue = owner;
  const LayerInputs inputs(queue, config, layout.rows(), layout.batch());
  const DevicePass pass(queue, config, Algorithm::persistent_cluster, layout, inputs, chunk_steps);
  if (with_lanes) add_lanes(queue, pass.plan().lanes());
  const auto both = [&] {
    pass.forward();
    pass.backward();
  };
  Run result;
  result.lanes = lane_count(queue);
  pass.spoil();
  both();
  download(queue, pass, result.outputs);
  void* graph = nullptr;
  begin_recording(queue);
  both();
  end_recording(queue, graph);
  const auto stream = static_cast<cudaStream_t>(queue.stream);
  std::vector<double> times;
  const Event begin, end;
  for (int i = 0; i < full_or_small(6, 2); ++i) {
    cuda::check(cudaEventRecord(begin, stream), "recording an event");
    launch_graph(queue, graph);
    cuda::check(cudaEventRecord(end, stream), "recording an event");
    synchronize(queue);
    float milliseconds = 0.0f;
    cuda::check(cudaEventElapsedTime(&milliseconds, begin, end),
                "reading the time between two events");
    if (i > 0) times.push_back(milliseconds * 1e3);
  }
  result.microseconds = median(times);
  OutputBytes launched;
  download(queue, pass, launched);
  destroy_graph(graph);
  const std::string other = other_bits(result.outputs, launched);
  if (!other.empty()) throw Error::runtime("the recorded pass gives other bits in " + other);
  return result;
}

void measure(Finding& finding, const Setting& setting) {
  RecurrentConfig config;
  config.cell = setting.cell;
  config.data_type = setting.type;
  config.num_layers = full_or_small(4, 3);
  config.hidden_size = small() ? 34 : setting.hidden;
  config.input_size = config.hidden_size;
  const std::int32_t batch = small() ? 5 : setting.batch, steps = full_or_small(256, 4),
                     chunk_steps = full_or_small(32, 2);
  const PersistentFit fit =
      persistent_fit_of_training(config, Algorithm::persistent_cluster, batch);
  if (!fit.fits) {
    finding.skipped = fit.why_not;
    return;
  }
  const SequenceLayout layout = SequenceLayout::equal(steps, batch);
  const Run alone = run(config, layout, chunk_steps, false),
            beside = run(config, layout, chunk_steps, true);
  const Run whole =
      run(config, layout, steps, false);  // no chunks: what overlapping must be faster than
  finding.add("cluster_blocks", fit.blocks);
  finding.add("clusters_of_a_layer", fit.groups);
  finding.add("lanes", beside.lanes);
  finding.add("us_one_lane", alone.microseconds);
  finding.add("us_lanes", beside.microseconds);
  finding.add("us_one_lane_without_chunks", whole.microseconds);
  if (const std::string other = other_bits(alone.outputs, beside.outputs); !other.empty()) {
    finding.failed = "lanes give other bits in " + other;
  }
  finding.detail = std::to_string(beside.lanes) + " lanes, clusters of " +
                   std::to_string(fit.blocks) + " blocks";
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice;
  using namespace sluice::probes;
  static constexpr Setting settings[] = {
      {"lstm_bfloat16_h512", Cell::lstm, DataType::bfloat16, 512, 8},
      {"gru_bfloat16_h512", Cell::gru, DataType::bfloat16, 512, 16},
      {"lstm_float32_h128", Cell::lstm, DataType::float32, 128, 16}};
  Probe probe{"lanes", "layers that overlap: cluster kernels beside matrix products", {}};
  for (const Setting& setting : settings) {
    probe.cases.push_back({std::string("lanes/") + setting.name,
                           [&setting](Finding& finding) { measure(finding, setting); }});
  }
  return run_probe(argc, argv, probe);
}
