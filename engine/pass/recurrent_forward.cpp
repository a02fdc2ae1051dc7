#include <cstdint>
#include <string>

#include "engine/loops/cudnn_pass.h"
#include "engine/loops/input_dropout.h"
#include "engine/pass/input_product.h"
#include "engine/pass/layer_pass.h"
#include "kernels/base/error.h"
#include "kernels/cells/combined_bias.h"

namespace sluice {
namespace {

using ForwardPass = Pass<RecurrentForwardArgs>;

void check(const RecurrentConfig& config, const RecurrentForwardArgs& args) {
  require(args.sequences.rows > 0 && args.sequences.host_offsets != nullptr,
          "RecurrentForwardArgs.sequences: expected an arrangement from SequenceLayout, got an "
          "empty one");
  require(args.parameters != nullptr && args.x != nullptr && args.y != nullptr &&
              args.workspace != nullptr,
          "RecurrentForwardArgs: parameters, x, y and workspace must not be null");
  require(
      has_cell_state(config.cell) || (args.c0 == nullptr && args.c_n == nullptr),
      std::string(
          "RecurrentForwardArgs: c0 and c_n must be null for a cell without cell state, which ") +
          name_of(config.cell) + " is");
}

// What a layer reads and writes.
struct ForwardLayer {
  int number;
  const void* x;  // [N, in] before dropout
  void* y;        // [N, D*H]
};

InputProductArgs input_of(const ForwardPass& pass, const ForwardLayer& layer) {
  const void* const dropped = pass.reserve.dropped_input[static_cast<std::size_t>(layer.number)];
  return {dropped != nullptr ? dropped : layer.x,
          layer.number == 0 ? pass.args.shared_input : SharedInput{}, pass.args.parameters,
          pass.args.sequences.steps > 1};
}

class DirectionForward : public DirectionPass<RecurrentForwardArgs, LoopForwardArgs> {
 public:
  using Args = RecurrentForwardArgs;
  using Loop = LoopForwardArgs;
  using Layer = ForwardLayer;
  static constexpr bool sides_meet = false;

  DirectionForward(const Queue& queue, const ForwardPass& pass, const Direction& direction,
                   int part, const ForwardLayer& layer)
      : DirectionPass(queue, pass, direction, part),
        input_product_(queue, direction, input_of(pass, layer), workspace_) {
    const DataType type = pass.config.data_type;
    combine_biases(queue, {.cell = pass.config.cell,
                           .type = type,
                           .hidden_size = pass.config.hidden_size,
                           .bias_ih = at(pass.args.parameters, direction.bias_ih, type),
                           .bias_hh = at(pass.args.parameters, direction.bias_hh, type),
                           .out = workspace_.bias});
    RecurrenceForwardArgs& recurrence = loop_.recurrence;
    recurrence.training = training();
    recurrence.bias = workspace_.bias;
    recurrence.h_state = workspace_.h_state;
    recurrence.c_state = workspace_.c_state;
    recurrence.h = columns(layer.y);
    if (pass.loop.gathers() && input_product_.shared_rows() != nullptr) {
      loop_.inputs = input_product_.shared_rows();
      loop_.input_index = input_product_.shared_index();
    }
  }

  void before_loop(std::size_t i) {
    begin(i, training());
    if (loop_.inputs == nullptr) input_product_.fill(chunk_, loop_.recurrence.gates);
  }
  void after_loop() const {}
  void after_chunk() const {}
  void finish() const {
    store(workspace_.h_state, pass_.args.h_n);
    store(workspace_.c_state, pass_.args.c_n);
  }

  static void drop_before(const Queue& queue, const ForwardPass& pass, const ForwardLayer& layer,
                          std::int32_t begin, std::int32_t end) {
    void* const dropped = pass.reserve.dropped_input[static_cast<std::size_t>(layer.number)];
    if (dropped == nullptr) return;
    drop_input(queue, {.config = pass.config,
                       .sequences = pass.args.sequences,
                       .layer = layer.number,
                       .begin = begin,
                       .end = end,
                       .seed = pass.args.seed,
                       .step = pass.args.step,
                       .x = layer.x,
                       .y = dropped});
  }
  static void drop_after(const Queue&, const ForwardPass&, const ForwardLayer&, std::int32_t,
                         std::int32_t) {}

 private:
  bool training() const { return pass_.args.reserve != nullptr; }

  const InputProduct input_product_;
};

}  // namespace

void RecurrentPlan::forward(const Queue& queue, const RecurrentForwardArgs& args) const {
  check(config_, args);
  require(queue.device == device_,
          "RecurrentPlan::forward: the queue is on another device than the plan");
  const bool training = args.reserve != nullptr, drops = training && args.drops;
  check_shared_input(config_, args.shared_input, drops);
  const PassShape shape{args.sequences.rows, args.sequences.steps, args.sequences.batch, training,
                        args.shared_input.rows};
  const PassSchedule schedule = this->schedule(shape, RecurrentPass::forward);
  if (is_cudnn(schedule.algorithm)) return cudnn_->forward(queue, args);
  const std::unique_ptr<const TimeLoop> loop =
      time_loop(schedule.algorithm, {.config = config_,
                                     .device = device_,
                                     .pass = RecurrentPass::forward,
                                     .batch = shape.batch,
                                     .drops = drops});
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  const PassWorkspace workspace(in_workspace, *loop, schedule, shape);
  const PassReserve reserve(training ? in_reserve : in_workspace, config_, schedule, shape,
                            training, drops);
  const std::vector<StepChunk> chunks = step_chunks(args.sequences, schedule.rule);
  const std::vector<ParameterView> views = recurrent_parameters(config_);
  const ForwardPass pass{config_, args, drops, schedule, *loop, chunks, workspace, reserve, views};

  Wavefront wavefront(queue, config_.bidirectional ? 1 : schedule.lanes, chunks.size());
  const void* x = args.x;
  for (int layer = 0; layer < config_.num_layers; ++layer) {
    void* const y = layer + 1 == config_.num_layers ? args.y : reserve.output[layer];
    run_layer<DirectionForward>(wavefront, pass, layer, {layer, x, y});
    x = y;
  }
  wavefront.join();
}

}  // namespace sluice
