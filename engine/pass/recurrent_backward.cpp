#include <cstdint>
#include <string>

#include "engine/loops/cudnn_pass.h"
#include "engine/loops/input_dropout.h"
#include "engine/pass/input_product.h"
#include "engine/pass/layer_pass.h"
#include "engine/pass/weight_gradients.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

using BackwardPass = Pass<RecurrentBackwardArgs>;

void check(const RecurrentConfig& config, const RecurrentBackwardArgs& args) {
  require(args.sequences.rows > 0 && args.sequences.host_offsets != nullptr,
          "RecurrentBackwardArgs.sequences: expected an arrangement from SequenceLayout, got an "
          "empty one");
  require(args.parameters != nullptr && args.x != nullptr && args.y != nullptr &&
              args.workspace != nullptr && args.reserve != nullptr,
          "RecurrentBackwardArgs: parameters, x, y, reserve and workspace must not be null");
  require(has_cell_state(config.cell) ||
              (args.c0 == nullptr && args.dc_n == nullptr && args.dc0 == nullptr),
          std::string("RecurrentBackwardArgs: c0, dc_n and dc0 must be null for a cell without "
                      "cell state, which ") +
              name_of(config.cell) + " is");
}

// What a layer reads and writes.
struct BackwardLayer {
  int number;
  const void* x;  // [N, in] after dropout; see RecurrentBackwardArgs
  SharedInput shared_input;
  const void* y;   // [N, D*H]
  const void* dy;  // [N, D*H]; null: zeros
  void* dx;        // as x; null if not wanted
};

class DirectionBackward : public DirectionPass<RecurrentBackwardArgs, LoopBackwardArgs> {
 public:
  using Args = RecurrentBackwardArgs;
  using Loop = LoopBackwardArgs;
  using Layer = BackwardLayer;
  static constexpr bool sides_meet = true;  // in dx

  DirectionBackward(const Queue& queue, const BackwardPass& pass, const Direction& direction,
                    int part, const BackwardLayer& layer)
      : DirectionPass(queue, pass, direction, part),
        input_{.input = {layer.x, layer.shared_input, pass.args.parameters,
                         pass.args.sequences.steps > 1},
               .dx = layer.dx,
               .add_to_dx = direction.reverse,
               .d_parameters = pass.args.d_parameters} {
    load(pass.args.dh_n, workspace_.dh_state);
    if (has_cell_state(pass.config.cell)) load(pass.args.dc_n, workspace_.dc_state);
    RecurrenceBackwardArgs& recurrence = loop_.recurrence;
    recurrence.h_initial = workspace_.h_state;
    recurrence.c_initial = workspace_.c_state;
    recurrence.h = columns(layer.y);
    recurrence.dy = columns(layer.dy);
    recurrence.lddy = pass.config.output_size();
    recurrence.dh_state = workspace_.dh_state;
    recurrence.dc_state = workspace_.dc_state;
  }

  void before_loop(std::size_t i) {
    begin(i, true);
    first_ = i == 0;
  }
  /// The chunk's dx, which the layer before waits for.
  void after_loop() const {
    if (!shared()) input_gradient(queue_, direction_, input_, chunk_, loop_.recurrence.gates);
  }
  /// The chunk's part of the weights' gradients.
  void after_chunk() const {
    if (pass_.args.d_parameters == nullptr) return;
    const RecurrenceBackwardArgs& recurrence = loop_.recurrence;
    weight_gradients(queue_, direction_,
                     {.sequences = pass_.args.sequences,
                      .chunk = chunk_,
                      .add = !first_,
                      .gates = recurrence.gates,
                      .h = recurrence.h,
                      .ldh = recurrence.ldh,
                      .c = recurrence.c,
                      .h_initial = recurrence.h_initial,
                      .c_initial = recurrence.c_initial,
                      .mask = pass_.loop.reads_mask() ? recurrence.mask : drawn_mask(),
                      .d_parameters = pass_.args.d_parameters},
                     workspace_);
    if (shared()) return;
    input_weight_gradient(queue_, direction_, input_, chunk_, recurrence.gates, !first_);
  }
  /// What waits for all chunks.
  void finish() const {
    const RecurrentBackwardArgs& args = pass_.args;
    const std::int64_t rows = args.sequences.rows;
    if (shared()) shared_input_gradients(queue_, direction_, input_, rows, gates_, workspace_);
    if (args.d_parameters != nullptr) {
      bias_gradients(queue_, direction_, gates_, rows, args.d_parameters, workspace_);
    }
    store(workspace_.dh_state, args.dh0);
    store(workspace_.dc_state, args.dc0);
  }

  static void drop_before(const Queue&, const BackwardPass&, const BackwardLayer&, std::int32_t,
                          std::int32_t) {}
  static void drop_after(const Queue& queue, const BackwardPass& pass, const BackwardLayer& layer,
                         std::int32_t begin, std::int32_t end) {
    const auto number = static_cast<std::size_t>(layer.number);
    if (layer.dx == nullptr || pass.reserve.dropped_input[number] == nullptr) return;
    drop_input(queue, {.config = pass.config,
                       .sequences = pass.args.sequences,
                       .layer = layer.number,
                       .begin = begin,
                       .end = end,
                       .seed = pass.args.seed,
                       .step = pass.args.step,
                       .x = layer.dx,
                       .y = layer.dx});
  }

 private:
  bool shared() const { return input_.input.shared.index != nullptr; }

  const InputGradientArgs input_;
  bool first_ = true;
};

}  // namespace

void RecurrentPlan::backward(const Queue& queue, const RecurrentBackwardArgs& args) const {
  check(config_, args);
  require(queue.device == device_,
          "RecurrentPlan::backward: the queue is on another device than the plan");
  check_shared_input(config_, args.shared_input, args.drops);
  const PassShape shape{args.sequences.rows, args.sequences.steps, args.sequences.batch, true,
                        args.shared_input.rows};
  const PassSchedule schedule = this->schedule(shape, RecurrentPass::backward);
  if (is_cudnn(schedule.algorithm)) return cudnn_->backward(queue, args);
  const std::unique_ptr<const TimeLoop> loop =
      time_loop(schedule.algorithm, {.config = config_,
                                     .device = device_,
                                     .pass = RecurrentPass::backward,
                                     .batch = shape.batch,
                                     .drops = args.drops});
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  const PassWorkspace workspace(in_workspace, *loop, schedule, shape);
  const PassReserve reserve(in_reserve, config_, schedule, shape, true, args.drops);
  const std::vector<StepChunk> chunks = step_chunks(args.sequences, schedule.rule);
  const std::vector<ParameterView> views = recurrent_parameters(config_);
  const BackwardPass pass{config_, args,      args.drops, schedule, *loop,
                          chunks,  workspace, reserve,    views};

  Wavefront wavefront(queue, config_.bidirectional ? 1 : schedule.lanes, chunks.size());
  const void* dy = args.dy;
  for (int layer = config_.num_layers - 1; layer >= 0; --layer) {
    const bool last = layer + 1 == config_.num_layers;
    const void* const undropped = layer == 0 ? args.x : reserve.output[layer - 1];
    const void* const dropped = reserve.dropped_input[layer];
    const BackwardLayer of{.number = layer,
                           .x = dropped != nullptr ? dropped : undropped,
                           .shared_input = layer == 0 ? args.shared_input : SharedInput{},
                           .y = last ? args.y : reserve.output[layer],
                           .dy = dy,
                           .dx = layer == 0 ? args.dx : workspace.d_output[(layer - 1) % 2]};
    run_layer<DirectionBackward>(wavefront, pass, config_.num_layers - 1 - layer, of);
    dy = of.dx;
  }
  wavefront.join();
}

}  // namespace sluice
