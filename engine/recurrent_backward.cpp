#include "engine/cudnn_pass.h"
#include "engine/direction.h"
#include "engine/input_product.h"
#include "engine/pass_memory.h"
#include "engine/persistent_layer.h"
#include "engine/recurrent.h"
#include "engine/step_chunks.h"
#include "engine/stepwise.h"
#include "engine/weight_gradients.h"
#include "kernels/dropout.h"
#include "kernels/error.h"
#include "kernels/recurrence.h"
#include "kernels/trace_range.h"

namespace sluice {
namespace {

void check(const RecurrentConfig& config, const RecurrentBackwardArgs& args) {
  require(args.sequences.rows > 0 && args.sequences.host_offsets != nullptr,
          "RecurrentBackwardArgs.sequences: expected an arrangement from SequenceLayout, got an empty one");
  require(args.parameters != nullptr && args.x != nullptr && args.y != nullptr &&
              args.workspace != nullptr && args.reserve != nullptr,
          "RecurrentBackwardArgs: parameters, x, y, reserve and workspace must not be null");
  require(has_cell_state(config.cell) ||
              (args.c0 == nullptr && args.dc_n == nullptr && args.dc0 == nullptr),
          std::string("RecurrentBackwardArgs: c0, dc_n and dc0 must be null for a cell without cell state, which ") +
              name_of(config.cell) + " is");
}

// Where one direction of one layer reads and writes.
struct DirectionTensors {
  InputGradientArgs input;
  const void* h;   // [N, D*H] this direction's columns
  const void* dy;  // [N, D*H] likewise; null: zeros
};

// The time loop of one direction but for its steps, gates and mask.
RecurrenceBackwardArgs recurrence_of(const Direction& direction, const RecurrentBackwardArgs& args,
                                     const DirectionReserve& reserve, const PassWorkspace& workspace,
                                     const DirectionTensors& tensors) {
  const RecurrentConfig& config = direction.config;
  return {.shape = {config.cell, config.data_type, config.hidden_size, config.math},
          .sequences = args.sequences, .reverse = direction.reverse, .packed = workspace.packed,
          .h_initial = workspace.h_state, .c_initial = workspace.c_state, .h = tensors.h,
          .ldh = config.output_size(), .c = reserve.c, .dy = tensors.dy,
          .lddy = config.output_size(), .dh_state = workspace.dh_state,
          .dc_state = workspace.dc_state, .scratch = workspace.scratch};
}

// Everything of a chunk that waits for its time loop.
void after_the_loop(const Queue& queue, const Direction& direction, const RecurrentBackwardArgs& args,
                    const PassWorkspace& workspace, const DirectionTensors& tensors,
                    const StepChunk& chunk, const RecurrenceBackwardArgs& recurrence, bool add) {
  if (args.d_parameters != nullptr) {
    weight_gradients(queue, direction,
                     {.sequences = args.sequences, .chunk = chunk, .add = add,
                      .gates = recurrence.gates, .h = tensors.h,
                      .ldh = recurrence.ldh, .h_initial = workspace.h_state,
                      .mask = recurrence.mask, .d_parameters = args.d_parameters},
                     workspace);
  }
  if (tensors.input.input.shared.index == nullptr) {
    input_gradients(queue, direction, tensors.input, chunk, recurrence.gates, add);
  }
}

// What waits for all chunks.
void after_all_chunks(const Queue& queue, const Direction& direction, const RecurrentBackwardArgs& args,
                      const DirectionReserve& reserve, const PassWorkspace& workspace,
                      const DirectionTensors& tensors) {
  if (tensors.input.input.shared.index != nullptr) {
    shared_input_gradients(queue, direction, tensors.input, args.sequences.rows, reserve.gates, workspace);
  }
  if (args.d_parameters != nullptr) {
    bias_gradients(queue, direction, reserve.gates, args.sequences.rows, args.d_parameters, workspace);
  }
}

// For each chunk of steps, last to first: the time loop, then everything that waits for it.
void run(const Queue& queue, const Direction& direction, const RecurrentBackwardArgs& args,
         Algorithm algorithm, const std::vector<StepChunk>& chunks, const DirectionReserve& reserve,
         const PassWorkspace& workspace, const DirectionTensors& tensors) {
  const DataType type = direction.config.data_type;
  const void* const weight_hh = at(args.parameters, direction.weight_hh, type);
  RecurrenceBackwardArgs recurrence = recurrence_of(direction, args, reserve, workspace, tensors);
  recurrence.mask =
      draw_recurrent_mask(queue, args.sequences, direction, workspace, args.seed, args.step);
  if (algorithm == Algorithm::row_blocks) {
    pack_backward_weights(queue, recurrence.shape, weight_hh, workspace.packed);
  }
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const StepChunk& chunk = chunks[direction.reverse ? i : chunks.size() - 1 - i];
    recurrence.begin = chunk.begin;
    recurrence.end = chunk.end;
    recurrence.gates = at(reserve.gates, chunk.first_row * direction.slots(), type);
    if (algorithm == Algorithm::row_blocks) {
      recurrence_backward(queue, recurrence);
    } else {
      stepwise_backward(queue, {recurrence, weight_hh, workspace.d_masked, workspace.dq});
    }
    after_the_loop(queue, direction, args, workspace, tensors, chunk, recurrence, i > 0);
  }
  after_all_chunks(queue, direction, args, reserve, workspace, tensors);
}

// All steps of all directions of a layer in one launch, then everything that waits for it.
struct PersistentDirection {
  Direction direction;
  PassWorkspace workspace;
  DirectionTensors tensors;
};
void run_together(const Queue& queue, const RecurrentBackwardArgs& args, Algorithm algorithm,
                  const PassReserve& reserve, const std::vector<PersistentDirection>& directions) {
  const RecurrentConfig& config = directions[0].direction.config;
  std::vector<PersistentBackward> together;
  for (const auto& [direction, workspace, tensors] : directions) {
    const DirectionReserve& kept = reserve.directions[direction.index()];
    PersistentBackward launch{
        .args = {.recurrence = recurrence_of(direction, args, kept, workspace, tensors),
                 .dropout = {config.recurrent_dropout,
                             {args.seed, recurrent_dropout_stream(direction.index()), args.step}},
                 .exchange = workspace.scratch},
        .weight_hh = at(args.parameters, direction.weight_hh, config.data_type)};
    launch.args.recurrence.end = args.sequences.steps;
    launch.args.recurrence.gates = kept.gates;
    together.push_back(launch);
  }
  run_persistent(queue,
                 persistent_request(config, algorithm, RecurrentPass::backward,
                                    args.sequences.batch, config.recurrent_dropout > 0.0),
                 together);
  const StepChunk all{0, args.sequences.steps, 0, args.sequences.rows};
  for (std::size_t d = 0; d < directions.size(); ++d) {
    const auto& [direction, workspace, tensors] = directions[d];
    RecurrenceBackwardArgs recurrence = together[d].args.recurrence;
    if (args.d_parameters != nullptr) {
      recurrence.mask =
          draw_recurrent_mask(queue, args.sequences, direction, workspace, args.seed, args.step);
    }
    after_the_loop(queue, direction, args, workspace, tensors, all, recurrence, false);
    after_all_chunks(queue, direction, args, reserve.directions[direction.index()], workspace, tensors);
  }
}

}  // namespace

void RecurrentPlan::backward(const Queue& queue, const RecurrentBackwardArgs& args) const {
  check(config_, args);
  require(queue.device == device_, "RecurrentPlan::backward: the queue is on another device than the plan");
  const DataType type = config_.data_type;
  const std::int64_t rows = args.sequences.rows, hidden = config_.hidden_size;
  const std::vector<ParameterView> views = recurrent_parameters(config_);
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  check_shared_input(config_, args.shared_input, true);
  const PassShape shape{rows, args.sequences.steps, args.sequences.batch, true,
                        args.shared_input.rows};
  const Algorithm algorithm = this->algorithm(shape);
  if (is_cudnn(algorithm)) return cudnn_->backward(queue, args);
  const ChunkRule rule = chunk_rule(config_, device_, chunk_steps(algorithm));
  const PassWorkspace workspace(in_workspace, config_, device_, algorithm, shape, rule.largest(shape), true);
  const PassReserve reserve(in_reserve, config_, algorithm, rows, rows, true);
  const std::vector<StepChunk> chunks = step_chunks(args.sequences, rule);

  const void* dy = args.dy;
  for (int layer = config_.num_layers - 1; layer >= 0; --layer) {
    const bool last = layer + 1 == config_.num_layers;
    const std::int64_t input = layer == 0 ? config_.input_size : config_.output_size();
    const void* const undropped = layer == 0 ? args.x : reserve.output[layer - 1];
    const bool drops = reserve.dropped_input[layer] != nullptr;
    const void* const x = drops ? reserve.dropped_input[layer] : undropped;
    const void* const y = last ? args.y : reserve.output[layer];
    void* const dx = layer == 0 ? args.dx : workspace.d_output[(layer - 1) % 2];
    const auto begin = [&](const Direction& direction, const PassWorkspace& own) {
      load_state(queue, args.sequences, config_, args.h0, direction.index(), own.h_state);
      load_state(queue, args.sequences, config_, args.dh_n, direction.index(), own.dh_state);
      if (has_cell_state(config_.cell)) {
        load_state(queue, args.sequences, config_, args.c0, direction.index(), own.c_state);
        load_state(queue, args.sequences, config_, args.dc_n, direction.index(), own.dc_state);
      }
    };
    const auto end = [&](const Direction& direction, const PassWorkspace& own) {
      store_state(queue, args.sequences, config_, own.dh_state, args.dh0, direction.index());
      store_state(queue, args.sequences, config_, own.dc_state, args.dc0, direction.index());
    };
    std::vector<PersistentDirection> together;
    for (int d = 0; d < config_.directions(); ++d) {
      const Direction direction(config_, views, layer, d);
      const TraceRange range(name_of(config_.cell), "backward", layer, direction.reverse);
      const DirectionTensors tensors{
          .input = {.input = {x, layer == 0 ? args.shared_input : SharedInput{}, args.parameters},
                    .dx = dx, .add_to_dx = d > 0, .d_parameters = args.d_parameters},
          .h = at(y, direction.reverse ? hidden : 0, type),
          .dy = dy == nullptr ? nullptr : at(dy, direction.reverse ? hidden : 0, type)};
      if (is_persistent(algorithm)) {
        together.push_back({direction, workspace.of_direction(d), tensors});
        begin(direction, together.back().workspace);
      } else {
        begin(direction, workspace);
        run(queue, direction, args, algorithm, chunks, reserve.directions[direction.index()],
            workspace, tensors);
        end(direction, workspace);
      }
    }
    if (is_persistent(algorithm)) {
      const TraceRange range(name_of(algorithm), "backward", layer, false);
      run_together(queue, args, algorithm, reserve, together);
      for (const PersistentDirection& each : together) end(each.direction, each.workspace);
    }
    if (dx != nullptr && drops) {
      dropout_rows(queue, {.type = type, .sequences = args.sequences, .columns = input,
                           .rate = layer == 0 ? config_.input_dropout : config_.layer_dropout,
                           .random = {args.seed, input_dropout_stream(layer), args.step},
                           .x = dx, .y = dx});
    }
    dy = dx;
  }
}

}  // namespace sluice
