#include "engine/loops/cudnn_pass.h"
#include "engine/loops/persistent_layer.h"
#include "engine/loops/stepwise.h"
#include "engine/pass/direction.h"
#include "engine/pass/input_product.h"
#include "engine/pass/pass_memory.h"
#include "engine/pass/pass_schedule.h"
#include "engine/pass/step_chunks.h"
#include "engine/pass/wavefront.h"
#include "engine/pass/weight_gradients.h"
#include "engine/recurrent.h"
#include "kernels/base/error.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/dropout.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {
namespace {

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

// What the layers of a pass share.
struct Pass {
  const RecurrentConfig& config;
  const RecurrentBackwardArgs& args;
  const PassSchedule& schedule;
  const std::vector<StepChunk>& chunks;
  const PassWorkspace& workspace;
  const PassReserve& reserve;
};

// What a layer reads and writes.
struct LayerTensors {
  int layer;
  const void* x;  // [N, in] after dropout; see RecurrentBackwardArgs
  SharedInput shared_input;
  const void* y;   // [N, D*H]
  const void* dy;  // [N, D*H]; null: zeros
  void* dx;        // as x; null if not wanted
};

// One direction of one layer on its way back through the chunks, in a part of the workspace.
class DirectionBackward {
 public:
  DirectionBackward(const Queue& queue, const Pass& pass, const Direction& direction, int part,
                    const LayerTensors& of)
      : queue_(queue),
        pass_(pass),
        direction_(direction),
        workspace_(pass.workspace.parts[part]),
        gates_(pass.reserve.of(direction.index(), part).gates),
        weight_hh_(at(pass.args.parameters, direction.weight_hh, pass.config.data_type)),
        input_{
            .input = {of.x, of.shared_input, pass.args.parameters, pass.args.sequences.steps > 1},
            .dx = of.dx,
            .add_to_dx = direction.reverse,
            .d_parameters = pass.args.d_parameters} {
    const RecurrentConfig& config = pass.config;
    const RecurrentBackwardArgs& args = pass.args;
    load_state(queue, args.sequences, config, args.h0, direction.index(), workspace_.h_state);
    load_state(queue, args.sequences, config, args.dh_n, direction.index(), workspace_.dh_state);
    if (has_cell_state(config.cell)) {
      load_state(queue, args.sequences, config, args.c0, direction.index(), workspace_.c_state);
      load_state(queue, args.sequences, config, args.dc_n, direction.index(), workspace_.dc_state);
    }
    const DataType type = config.data_type;
    const std::int64_t column = direction.reverse ? config.hidden_size : 0;
    recurrence_ = {.shape = {config.cell, type, config.hidden_size, config.math},
                   .sequences = args.sequences,
                   .reverse = direction.reverse,
                   .packed = workspace_.packed,
                   .h_initial = workspace_.h_state,
                   .c_initial = workspace_.c_state,
                   .h = at(of.y, column, type),
                   .ldh = config.output_size(),
                   .c = pass.reserve.of(direction.index(), part).c,
                   .dy = of.dy == nullptr ? nullptr : at(of.dy, column, type),
                   .lddy = config.output_size(),
                   .dh_state = workspace_.dh_state,
                   .dc_state = workspace_.dc_state,
                   .scratch = workspace_.scratch};
    prepare_weights();
  }

  /// The direction's `i`-th chunk, counted from the last, is the next.
  void begin(std::size_t i) {
    chunk_ = pass_.chunks[direction_.reverse ? i : pass_.chunks.size() - 1 - i];
    first_ = i == 0;
    recurrence_.begin = chunk_.begin;
    recurrence_.end = chunk_.end;
    recurrence_.gates = at(gates_, chunk_.first_row * direction_.slots(), pass_.config.data_type);
  }

  /// The time loop over the chunk, unless a persistent launch takes it.
  void run() const {
    if (pass_.schedule.algorithm == Algorithm::row_blocks) {
      recurrence_backward(queue_, recurrence_);
    } else {
      stepwise_backward(queue_, {recurrence_, weight_hh_, workspace_.d_masked, workspace_.dq});
    }
  }
  PersistentBackwardArgs launch() const {
    PersistentBackwardArgs launch{
        .recurrence = recurrence_,
        .dropout = {pass_.config.recurrent_dropout,
                    {pass_.args.seed, recurrent_dropout_stream(direction_.index()),
                     pass_.args.step}},
        .exchange = workspace_.scratch};
    launch.recurrence.mask = nullptr;
    return launch;
  }

  /// The chunk's dx, which the layer before waits for.
  void input_gradient() const {
    if (shared()) return;
    sluice::input_gradient(queue_, direction_, input_, chunk_, recurrence_.gates);
  }

  /// The chunk's part of the weights' gradients.
  void weight_gradients() {
    if (pass_.args.d_parameters == nullptr) return;
    if (is_persistent(pass_.schedule.algorithm)) draw_mask();
    sluice::weight_gradients(queue_, direction_,
                             {.sequences = pass_.args.sequences,
                              .chunk = chunk_,
                              .add = !first_,
                              .gates = recurrence_.gates,
                              .h = recurrence_.h,
                              .ldh = recurrence_.ldh,
                              .h_initial = workspace_.h_state,
                              .mask = recurrence_.mask,
                              .d_parameters = pass_.args.d_parameters},
                             workspace_);
    if (shared()) return;
    input_weight_gradient(queue_, direction_, input_, chunk_, recurrence_.gates, !first_);
  }

  /// What waits for all chunks.
  void finish() const {
    const RecurrentBackwardArgs& args = pass_.args;
    const std::int64_t rows = args.sequences.rows;
    if (shared()) shared_input_gradients(queue_, direction_, input_, rows, gates_, workspace_);
    if (args.d_parameters != nullptr) {
      bias_gradients(queue_, direction_, gates_, rows, args.d_parameters, workspace_);
    }
    const int index = direction_.index();
    store_state(queue_, args.sequences, pass_.config, workspace_.dh_state, args.dh0, index);
    store_state(queue_, args.sequences, pass_.config, workspace_.dc_state, args.dc0, index);
  }

 private:
  bool shared() const { return input_.input.shared.index != nullptr; }

  void draw_mask() {
    recurrence_.mask = draw_recurrent_mask(queue_, pass_.args.sequences, direction_, workspace_,
                                           pass_.args.seed, pass_.args.step);
  }
  void prepare_weights() {
    const Algorithm algorithm = pass_.schedule.algorithm;
    if (is_persistent(algorithm)) {  // draws its masks itself
      const PersistentRequest request = persistent_request(
          pass_.config, algorithm, RecurrentPass::backward, pass_.args.sequences.batch, false);
      return persistent_pack(queue_, request, weight_hh_, workspace_.packed);
    }
    draw_mask();
    if (algorithm == Algorithm::row_blocks) {
      pack_backward_weights(queue_, recurrence_.shape, weight_hh_, workspace_.packed);
    }
  }

  const Queue& queue_;
  const Pass& pass_;
  const Direction& direction_;
  const DirectionWorkspace& workspace_;
  void* const gates_;
  const void* const weight_hh_;
  const InputGradientArgs input_;
  RecurrenceBackwardArgs recurrence_;
  StepChunk chunk_;
  bool first_ = true;
};

// The time loops of the directions that run together.
void run(const Queue& queue, const Pass& pass, const std::vector<DirectionBackward>& directions) {
  if (!is_persistent(pass.schedule.algorithm)) return directions[0].run();
  std::vector<PersistentBackwardArgs> launches;
  for (const DirectionBackward& each : directions) launches.push_back(each.launch());
  run_persistent(queue,
                 persistent_request(pass.config, pass.schedule.algorithm, RecurrentPass::backward,
                                    pass.args.sequences.batch, pass.config.recurrent_dropout > 0.0),
                 launches);
}

// Dropout on a layer's input, backward, at steps [begin, end).
void drop_input_gradient(const Queue& queue, const Pass& pass, const LayerTensors& of,
                         std::int32_t begin, std::int32_t end) {
  if (of.dx == nullptr || pass.reserve.dropped_input[of.layer] == nullptr) return;
  const RecurrentConfig& config = pass.config;
  dropout_rows(queue, {.type = config.data_type,
                       .sequences = pass.args.sequences,
                       .begin = begin,
                       .end = end,
                       .columns = of.layer == 0 ? config.input_size : config.output_size(),
                       .rate = of.layer == 0 ? config.input_dropout : config.layer_dropout,
                       .random = {pass.args.seed, input_dropout_stream(of.layer), pass.args.step},
                       .x = of.dx,
                       .y = of.dx});
}

// One layer, the `position`-th of a wavefront.
void run_layer(const Wavefront& wavefront, const Pass& pass,
               const std::vector<ParameterView>& views, int position, const LayerTensors& of) {
  const RecurrentConfig& config = pass.config;
  const Queue& queue = wavefront.queue(position);
  const int together = is_persistent(pass.schedule.algorithm) ? config.directions() : 1;
  Wavefront sides(queue, config.bidirectional && together == 1 ? pass.schedule.lanes : 1, 1);
  for (int first = 0; first < config.directions(); first += together) {
    const TraceRange range(name_of(config.cell), "backward", of.layer, first == 1);
    const Queue& side = sides.queue(first);
    std::vector<Direction> each_way;
    for (int d = first; d < first + together; ++d)
      each_way.emplace_back(config, views, of.layer, d);
    std::vector<DirectionBackward> directions;
    directions.reserve(each_way.size());
    for (std::size_t d = 0; d < each_way.size(); ++d) {
      const int part =
          together == 2 ? static_cast<int>(d) : wavefront.lane(position) + sides.lane(first);
      directions.emplace_back(side, pass, each_way[d], part, of);
    }
    for (std::size_t i = 0; i < pass.chunks.size(); ++i) {
      wavefront.wait(position, i);
      for (DirectionBackward& each : directions) each.begin(i);
      run(side, pass, directions);
      if (i == 0) sides.wait(first, 0);  // for what the other direction wrote to dx
      for (const DirectionBackward& each : directions) each.input_gradient();
      if (!config.bidirectional) {
        const StepChunk& chunk = pass.chunks[pass.chunks.size() - 1 - i];
        drop_input_gradient(queue, pass, of, chunk.begin, chunk.end);
      }
      wavefront.done(position, i);
      for (DirectionBackward& each : directions) each.weight_gradients();
    }
    for (const DirectionBackward& each : directions) each.finish();
    sides.done(first, 0);
  }
  sides.join();
  if (config.bidirectional) drop_input_gradient(queue, pass, of, 0, pass.args.sequences.steps);
}

}  // namespace

void RecurrentPlan::backward(const Queue& queue, const RecurrentBackwardArgs& args) const {
  check(config_, args);
  const RecurrentConfig config = in_effect(config_, args.drops);
  require(queue.device == device_,
          "RecurrentPlan::backward: the queue is on another device than the plan");
  check_shared_input(config, args.shared_input, true);
  const PassShape shape{args.sequences.rows, args.sequences.steps, args.sequences.batch, true,
                        args.shared_input.rows};
  const PassSchedule schedule = this->schedule(shape, RecurrentPass::backward);
  if (is_cudnn(schedule.algorithm)) return cudnn_->backward(queue, args);
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  const PassWorkspace workspace(in_workspace, config, device_, schedule, shape, true);
  const PassReserve reserve(in_reserve, config, schedule, shape, true);
  const std::vector<StepChunk> chunks = step_chunks(args.sequences, schedule.rule);
  const std::vector<ParameterView> views = recurrent_parameters(config);
  const Pass pass{config, args, schedule, chunks, workspace, reserve};

  Wavefront wavefront(queue, config.bidirectional ? 1 : schedule.lanes, chunks.size());
  const void* dy = args.dy;
  for (int layer = config.num_layers - 1; layer >= 0; --layer) {
    const bool last = layer + 1 == config.num_layers;
    const void* const undropped = layer == 0 ? args.x : reserve.output[layer - 1];
    const void* const dropped = reserve.dropped_input[layer];
    const LayerTensors of{.layer = layer,
                          .x = dropped != nullptr ? dropped : undropped,
                          .shared_input = layer == 0 ? args.shared_input : SharedInput{},
                          .y = last ? args.y : reserve.output[layer],
                          .dy = dy,
                          .dx = layer == 0 ? args.dx : workspace.d_output[(layer - 1) % 2]};
    run_layer(wavefront, pass, views, config.num_layers - 1 - layer, of);
    dy = of.dx;
  }
  wavefront.join();
}

}  // namespace sluice
