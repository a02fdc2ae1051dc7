// First contact with the real cuDNN, through the engine's own algorithms: what it takes and what it
// refuses, its space of weights, each number type beside stepwise, and a packed batch in a graph.
// Only cuDNN's standard algorithm must take its cases.
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/number.h"
#include "kernels/cudnn/cudnn.h"
#include "kernels/cudnn/cudnn_rnn.h"
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

struct Setting {
  const char* name;
  Algorithm algorithm;
  Cell cell;
  DataType type;
  MatrixMath math = MatrixMath::ieee;
  std::int64_t hidden = 256;
  bool packed = false;    ///< rows of different lengths
  bool recorded = false;  ///< and once more as a graph
};

RecurrentConfig config_of(const Setting& setting) {
  RecurrentConfig config;
  config.cell = setting.cell;
  config.data_type = setting.type;
  config.math = setting.math;
  config.input_size = small() ? 16 : setting.hidden;
  config.hidden_size = small() ? 16 : setting.hidden;
  return config;
}

SequenceLayout layout_of(bool packed) {
  const std::int32_t steps = full_or_small(40, 4), batch = full_or_small(16, 4);
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(batch), steps);
  for (std::int32_t i = 1; i < batch && packed; ++i)
    lengths[static_cast<std::size_t>(i)] = 1 + i * 7 % steps;
  return SequenceLayout(lengths);
}

void compare(Finding& finding, const RecurrentConfig& config, const DevicePass& pass,
             const OutputBytes& got, const OutputBytes& expected) {
  double worst = 0.0;
  std::string name;
  for (const test::DeviceOutput& output : pass.outputs()) {
    const double allowed = test::allowed_difference(config.data_type, config.math, output.terms);
    const double apart =
        test::difference(output.type, got.at(output.name), expected.at(output.name)).largest /
        allowed;
    if (!(apart <= worst)) worst = apart, name = output.name;
  }
  finding.add("largest_error_of_what_is_allowed", worst);
  if (!(worst <= 1.0))
    finding.failed =
        name + " is away from stepwise's by " + std::to_string(worst) + " times what is allowed";
}

[[maybe_unused]] void run_recorded(Finding& finding, const Queue& queue, const DevicePass& pass,
                                   const OutputBytes& plain) {
  void* graph = nullptr;
  pass.spoil();
  synchronize(queue);
  begin_recording(queue);
  try {
    pass.forward();
    pass.backward();
  } catch (const Error&) {
    drop_recording(queue);
    throw;
  }
  end_recording(queue, graph);
  OutputBytes launched;
  launch_graph(queue, graph);
  download(queue, pass, launched);
  destroy_graph(graph);
  const std::string other = other_bits(plain, launched);
  finding.detail += finding.detail.empty() ? "recorded" : ", recorded";
  if (!other.empty() && finding.failed.empty())
    finding.failed = "the recorded pass gives other bits in " + other;
}

void measure(Finding& finding, const Setting& setting) {
  if (finding.skipped = cudnn_presence().problem; !finding.skipped.empty()) return;
  const CudaQueue owner;
  const Queue& queue = owner;
  const RecurrentConfig config = config_of(setting);
  const SequenceLayout layout = layout_of(setting.packed);
  const LayerInputs inputs(queue, config, layout.rows(), layout.batch());
  OutputBytes expected, got;
  {
    const DevicePass stepwise(queue, config, Algorithm::stepwise, layout, inputs);
    stepwise.forward();
    stepwise.backward();
    download(queue, stepwise, expected);
  }
  std::string done = "nothing";
  try {
    const DevicePass pass(queue, config, setting.algorithm, layout, inputs);
    pass.spoil();
    done = "the plan and its memory";
    pass.forward();
    synchronize(queue);
    done = "forward";
    pass.backward();
    synchronize(queue);
    done = "both passes";
    download(queue, pass, got);
    compare(finding, config, pass, got, expected);
    if (!setting.recorded) return;
#ifdef SLUICE_IMAGINED_GPU
    finding.detail = "not recorded: the imagined cuDNN computes as soon as it is called";
#else
    run_recorded(finding, queue, pass, got);
#endif
  } catch (const Error& error) {
    const bool may_refuse =
        setting.algorithm != Algorithm::cudnn_standard && error.kind() == Error::Kind::usage;
    (may_refuse ? finding.skipped : finding.failed) = "after " + done + ": " + error.what();
  }
}

/// What goes into cuDNN's space of weights comes out again, whatever its arrangement.
void measure_weight_space(Finding& finding, Cell cell, DataType type) {
  if (finding.skipped = cudnn_presence().problem; !finding.skipped.empty()) return;
  const CudaQueue owner;
  const Queue& queue = owner;
  RecurrentConfig config;
  config.cell = cell;
  config.data_type = type;
  config.input_size = full_or_small(256, 24);
  config.hidden_size = full_or_small(128, 16);
  config.num_layers = 2;
  config.bidirectional = true;
  const CudnnRnn cudnn({.cell = cell,
                        .type = type,
                        .input_size = config.input_size,
                        .hidden_size = config.hidden_size,
                        .num_layers = 2,
                        .bidirectional = true,
                        .algorithm = CudnnAlgorithm::standard});
  const CudnnRnn::Bytes bytes = cudnn.bytes(full_or_small(40, 4), full_or_small(16, 4), true);
  const auto count = static_cast<std::size_t>(parameter_count(recurrent_parameters(config)));
  finding.add("parameter_bytes", static_cast<double>(count * size_of(type)));
  finding.add("weight_space_bytes", static_cast<double>(bytes.weights));
  finding.add("workspace_bytes", static_cast<double>(bytes.workspace));
  finding.add("reserve_bytes", static_cast<double>(bytes.reserve));
  const LayerInputs inputs(queue, config, 16, 16);
  const Buffer weights(queue, bytes.weights), back(queue, count * size_of(state_type(type)));
  cudnn.load_weights(queue, inputs.parameters.data(), weights.data());
  cudnn.store_gradients(queue, weights.data(), back.data());
  with_number(type, [&]<class Number>(Number) {
    std::vector<Number> given(count);
    std::vector<Wide<Number>> got(count);
    download(queue, given.data(), inputs.parameters.data(), given.size() * sizeof(Number));
    download(queue, got.data(), back.data(), got.size() * sizeof(Wide<Number>));
    synchronize(queue);
    for (std::size_t i = 0; i < count; ++i) {
      if (got[i] == widen(given[i])) continue;
      finding.failed = "parameter " + std::to_string(i) + " of " + std::to_string(count) +
                       " comes back as another number from cuDNN's space of weights";
      return;
    }
  });
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice;
  using namespace sluice::probes;
  constexpr auto standard = Algorithm::cudnn_standard, persistent = Algorithm::cudnn_persist_static,
                 dynamic = Algorithm::cudnn_persist_dynamic,
                 small_hidden = Algorithm::cudnn_persist_static_small_h;
  constexpr auto ieee = MatrixMath::ieee, tf32 = MatrixMath::tf32;
  static constexpr Setting settings[] = {
      {"standard_bfloat16", standard, Cell::lstm, DataType::bfloat16},
      {"standard_bfloat16_gru", standard, Cell::gru, DataType::bfloat16},
      {"standard_float16", standard, Cell::lstm, DataType::float16},
      {"standard_tf32", standard, Cell::lstm, DataType::float32, tf32},
      {"standard_float32", standard, Cell::lstm, DataType::float32},
      {"standard_packed_recorded", standard, Cell::lstm, DataType::float32, ieee, 256, true, true},
      {"standard_packed_recorded_bfloat16", standard, Cell::lstm, DataType::bfloat16, ieee, 256,
       true, true},
      {"small_hidden_float32", small_hidden, Cell::lstm, DataType::float32, ieee, 64, false, true},
      {"small_hidden_bfloat16", small_hidden, Cell::lstm, DataType::bfloat16, ieee, 64},
      {"small_hidden_float16_gru", small_hidden, Cell::gru, DataType::float16, ieee, 128},
      {"small_hidden_backward_h192", small_hidden, Cell::lstm, DataType::float32, ieee, 192},
      {"persist_static_float16", persistent, Cell::lstm, DataType::float16},
      {"persist_static_bfloat16", persistent, Cell::lstm, DataType::bfloat16},
      {"persist_dynamic_float16", dynamic, Cell::lstm, DataType::float16},
      {"persist_dynamic_float32", dynamic, Cell::lstm, DataType::float32}};
  Probe probe{"cudnn_contact", "what the real cuDNN takes, beside stepwise", {}};
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const DataType type : {DataType::float32, DataType::bfloat16}) {
      probe.cases.push_back(
          {std::string("cudnn_contact/weight_space_") + sluice::name_of(cell) + "_" +
               sluice::name_of(type),
           [cell, type](Finding& finding) { measure_weight_space(finding, cell, type); }});
    }
  }
  for (const Setting& setting : settings) {
    probe.cases.push_back({std::string("cudnn_contact/") + setting.name,
                           [&setting](Finding& finding) { measure(finding, setting); }});
  }
  return run_probe(argc, argv, probe);
}
