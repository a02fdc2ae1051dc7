#include <vector>

#include "engine/loops/cudnn_pass.h"
#include "engine/loops/persistent_layer.h"
#include "engine/loops/stepwise.h"
#include "engine/pass/direction.h"
#include "engine/pass/input_product.h"
#include "engine/pass/pass_memory.h"
#include "engine/pass/pass_schedule.h"
#include "engine/pass/step_chunks.h"
#include "engine/pass/wavefront.h"
#include "engine/recurrent.h"
#include "kernels/base/error.h"
#include "kernels/cells/combined_bias.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/dropout.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {
namespace {

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

// What the layers of a pass share.
struct Pass {
  const RecurrentConfig& config;
  const RecurrentForwardArgs& args;
  const PassSchedule& schedule;
  const std::vector<StepChunk>& chunks;
  const PassWorkspace& workspace;
  const PassReserve& reserve;

  bool training() const { return args.reserve != nullptr; }
};

// One direction of one layer on its way through the chunks, in a part of the workspace.
class DirectionForward {
 public:
  DirectionForward(const Queue& queue, const Pass& pass, const Direction& direction, int part,
                   const InputProductArgs& input, void* y)
      : queue_(queue),
        pass_(pass),
        direction_(direction),
        workspace_(pass.workspace.parts[part]),
        gates_(pass.reserve.of(direction.index(), part).gates),
        weight_hh_(at(pass.args.parameters, direction.weight_hh, pass.config.data_type)),
        input_product_(queue, direction, input, workspace_) {
    const RecurrentConfig& config = pass.config;
    const RecurrentForwardArgs& args = pass.args;
    const DataType type = config.data_type;
    combine_biases(queue, {.cell = config.cell,
                           .type = type,
                           .hidden_size = config.hidden_size,
                           .bias_ih = at(args.parameters, direction.bias_ih, type),
                           .bias_hh = at(args.parameters, direction.bias_hh, type),
                           .out = workspace_.bias});
    load_state(queue, args.sequences, config, args.h0, direction.index(), workspace_.h_state);
    if (has_cell_state(config.cell)) {
      load_state(queue, args.sequences, config, args.c0, direction.index(), workspace_.c_state);
    }
    recurrence_ = {.shape = {config.cell, type, config.hidden_size, config.math},
                   .sequences = args.sequences,
                   .reverse = direction.reverse,
                   .training = pass.training(),
                   .bias = workspace_.bias,
                   .packed = workspace_.packed,
                   .h_state = workspace_.h_state,
                   .c_state = workspace_.c_state,
                   .c = pass.reserve.of(direction.index(), part).c,
                   .h = at(y, direction.reverse ? config.hidden_size : 0, type),
                   .ldh = config.output_size(),
                   .scratch = workspace_.scratch};
    prepare_weights();
  }

  /// The input product of the direction's `i`-th chunk.
  void fill(std::size_t i) {
    const StepChunk& chunk = pass_.chunks[direction_.reverse ? pass_.chunks.size() - 1 - i : i];
    recurrence_.begin = chunk.begin;
    recurrence_.end = chunk.end;
    recurrence_.gates =
        pass_.training() ? at(gates_, chunk.first_row * direction_.slots(), pass_.config.data_type)
                         : gates_;
    if (!launch_gathers()) input_product_.fill(chunk, recurrence_.gates);
  }

  /// The time loop over the chunk, unless a persistent launch takes it.
  void run() const {
    if (pass_.schedule.algorithm == Algorithm::row_blocks) {
      recurrence_forward(queue_, recurrence_);
    } else {
      stepwise_forward(queue_, {recurrence_, weight_hh_, workspace_.h_operand});
    }
  }
  PersistentForwardArgs launch() const {
    PersistentForwardArgs launch{
        .recurrence = recurrence_, .dropout = {}, .exchange = workspace_.scratch};
    if (launch_gathers()) {
      launch.inputs = input_product_.shared_rows();
      launch.input_index = input_product_.shared_index();
    }
    if (pass_.training()) {
      launch.dropout = {
          pass_.config.recurrent_dropout,
          {pass_.args.seed, recurrent_dropout_stream(direction_.index()), pass_.args.step}};
    }
    return launch;
  }

  void finish() const {
    const RecurrentForwardArgs& args = pass_.args;
    const int index = direction_.index();
    store_state(queue_, args.sequences, pass_.config, workspace_.h_state, args.h_n, index);
    store_state(queue_, args.sequences, pass_.config, workspace_.c_state, args.c_n, index);
  }

 private:
  // Whether the time loop's launch fetches shared inputs itself.
  bool launch_gathers() const {
    return is_persistent(pass_.schedule.algorithm) && input_product_.shared_rows() != nullptr;
  }

  void prepare_weights() {
    const Algorithm algorithm = pass_.schedule.algorithm;
    if (is_persistent(algorithm)) {  // draws its masks itself
      const PersistentRequest request = persistent_request(
          pass_.config, algorithm, RecurrentPass::forward, pass_.args.sequences.batch, false);
      return persistent_pack(queue_, request, weight_hh_, workspace_.packed);
    }
    if (algorithm == Algorithm::row_blocks) {
      pack_forward_weights(queue_, recurrence_.shape, weight_hh_, workspace_.packed);
    }
    if (pass_.training()) {
      recurrence_.mask = draw_recurrent_mask(queue_, pass_.args.sequences, direction_, workspace_,
                                             pass_.args.seed, pass_.args.step);
    }
  }

  const Queue& queue_;
  const Pass& pass_;
  const Direction& direction_;
  const DirectionWorkspace& workspace_;
  void* const gates_;
  const void* const weight_hh_;
  const InputProduct input_product_;
  RecurrenceForwardArgs recurrence_;
};

// The time loops of the directions that run together.
void run(const Queue& queue, const Pass& pass, const std::vector<DirectionForward>& directions) {
  if (!is_persistent(pass.schedule.algorithm)) return directions[0].run();
  std::vector<PersistentForwardArgs> launches;
  for (const DirectionForward& each : directions) launches.push_back(each.launch());
  run_persistent(queue,
                 persistent_request(pass.config, pass.schedule.algorithm, RecurrentPass::forward,
                                    pass.args.sequences.batch,
                                    pass.training() && pass.config.recurrent_dropout > 0.0),
                 launches);
}

// Dropout on a layer's input, at steps [begin, end).
void drop_input(const Queue& queue, const Pass& pass, int layer, const void* x, std::int32_t begin,
                std::int32_t end) {
  void* const dropped = pass.reserve.dropped_input[layer];
  if (dropped == nullptr) return;
  const RecurrentConfig& config = pass.config;
  dropout_rows(queue, {.type = config.data_type,
                       .sequences = pass.args.sequences,
                       .begin = begin,
                       .end = end,
                       .columns = layer == 0 ? config.input_size : config.output_size(),
                       .rate = layer == 0 ? config.input_dropout : config.layer_dropout,
                       .random = {pass.args.seed, input_dropout_stream(layer), pass.args.step},
                       .x = x,
                       .y = dropped});
}

// One layer, as one of a wavefront.
void run_layer(const Wavefront& wavefront, const Pass& pass,
               const std::vector<ParameterView>& views, int layer, const void* x, void* y) {
  const RecurrentConfig& config = pass.config;
  const Queue& queue = wavefront.queue(layer);
  const void* const dropped = pass.reserve.dropped_input[layer];
  const InputProductArgs input{dropped != nullptr ? dropped : x,
                               layer == 0 ? pass.args.shared_input : SharedInput{},
                               pass.args.parameters, pass.args.sequences.steps > 1};
  if (config.bidirectional) drop_input(queue, pass, layer, x, 0, pass.args.sequences.steps);
  const int together = is_persistent(pass.schedule.algorithm) ? config.directions() : 1;
  Wavefront sides(queue, config.bidirectional && together == 1 ? pass.schedule.lanes : 1, 1);
  for (int first = 0; first < config.directions(); first += together) {
    const TraceRange range(name_of(config.cell), "forward", layer, first == 1);
    const Queue& side = sides.queue(first);
    std::vector<Direction> of;
    for (int d = first; d < first + together; ++d) of.emplace_back(config, views, layer, d);
    std::vector<DirectionForward> directions;
    directions.reserve(of.size());
    for (std::size_t d = 0; d < of.size(); ++d) {
      const int part =
          together == 2 ? static_cast<int>(d) : wavefront.lane(layer) + sides.lane(first);
      directions.emplace_back(side, pass, of[d], part, input, y);
    }
    for (std::size_t i = 0; i < pass.chunks.size(); ++i) {
      wavefront.wait(layer, i);
      if (!config.bidirectional) {
        drop_input(queue, pass, layer, x, pass.chunks[i].begin, pass.chunks[i].end);
      }
      for (DirectionForward& each : directions) each.fill(i);
      run(side, pass, directions);
      wavefront.done(layer, i);
    }
    for (const DirectionForward& each : directions) each.finish();
  }
  sides.join();
}

}  // namespace

void RecurrentPlan::forward(const Queue& queue, const RecurrentForwardArgs& args) const {
  check(config_, args);
  const RecurrentConfig config = in_effect(config_, args.drops);
  require(queue.device == device_,
          "RecurrentPlan::forward: the queue is on another device than the plan");
  const bool training = args.reserve != nullptr;
  check_shared_input(config, args.shared_input, training);
  const PassShape shape{args.sequences.rows, args.sequences.steps, args.sequences.batch, training,
                        args.shared_input.rows};
  const PassSchedule schedule = this->schedule(shape, RecurrentPass::forward);
  if (is_cudnn(schedule.algorithm)) return cudnn_->forward(queue, args);
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  const PassWorkspace workspace(in_workspace, config, device_, schedule, shape, false);
  const PassReserve reserve(training ? in_reserve : in_workspace, config, schedule, shape,
                            training);
  const std::vector<StepChunk> chunks = step_chunks(args.sequences, schedule.rule);
  const std::vector<ParameterView> views = recurrent_parameters(config);
  const Pass pass{config, args, schedule, chunks, workspace, reserve};

  Wavefront wavefront(queue, config.bidirectional ? 1 : schedule.lanes, chunks.size());
  const void* x = args.x;
  for (int layer = 0; layer < config.num_layers; ++layer) {
    void* const y = layer + 1 == config.num_layers ? args.y : reserve.output[layer];
    run_layer(wavefront, pass, views, layer, x, y);
    x = y;
  }
  wavefront.join();
}

}  // namespace sluice
