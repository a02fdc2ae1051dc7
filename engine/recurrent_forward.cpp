#include "engine/cudnn_pass.h"
#include "engine/direction.h"
#include "engine/input_product.h"
#include "engine/pass_memory.h"
#include "engine/persistent_layer.h"
#include "engine/recurrent.h"
#include "engine/step_chunks.h"
#include "engine/stepwise.h"
#include "kernels/bias.h"
#include "kernels/dropout.h"
#include "kernels/error.h"
#include "kernels/recurrence.h"
#include "kernels/trace_range.h"

namespace sluice {
namespace {

void check(const RecurrentConfig& config, const RecurrentForwardArgs& args) {
  require(args.sequences.rows > 0 && args.sequences.host_offsets != nullptr,
          "RecurrentForwardArgs.sequences: expected an arrangement from SequenceLayout, got an empty one");
  require(args.parameters != nullptr && args.x != nullptr && args.y != nullptr &&
              args.workspace != nullptr,
          "RecurrentForwardArgs: parameters, x, y and workspace must not be null");
  require(has_cell_state(config.cell) || (args.c0 == nullptr && args.c_n == nullptr),
          std::string("RecurrentForwardArgs: c0 and c_n must be null for a cell without cell state, which ") +
              name_of(config.cell) + " is");
}

// The time loop of one direction but for its steps, gates and mask.
RecurrenceForwardArgs recurrence_of(const Direction& direction, const RecurrentForwardArgs& args,
                                    const DirectionReserve& reserve, const PassWorkspace& workspace,
                                    void* y) {
  const RecurrentConfig& config = direction.config;
  const DataType type = config.data_type;
  return {.shape = {config.cell, type, config.hidden_size, config.math}, .sequences = args.sequences,
          .reverse = direction.reverse, .training = args.reserve != nullptr, .bias = workspace.bias,
          .packed = workspace.packed, .h_state = workspace.h_state, .c_state = workspace.c_state,
          .c = reserve.c, .h = at(y, direction.reverse ? config.hidden_size : 0, type),
          .ldh = config.output_size(), .scratch = workspace.scratch};
}

// One direction of one layer: for each chunk of steps the input product, then the time loop.
void run(const Queue& queue, const Direction& direction, const RecurrentForwardArgs& args,
         Algorithm algorithm, const std::vector<StepChunk>& chunks, const DirectionReserve& reserve,
         const PassWorkspace& workspace, const InputProductArgs& input, void* y) {
  const DataType type = direction.config.data_type;
  const bool training = args.reserve != nullptr;
  const void* const weight_hh = at(args.parameters, direction.weight_hh, type);
  RecurrenceForwardArgs recurrence = recurrence_of(direction, args, reserve, workspace, y);
  if (training) {
    recurrence.mask =
        draw_recurrent_mask(queue, args.sequences, direction, workspace, args.seed, args.step);
  }
  if (algorithm == Algorithm::row_blocks) {
    pack_forward_weights(queue, recurrence.shape, weight_hh, workspace.packed);
  }
  const InputProduct input_product(queue, direction, input, workspace);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const StepChunk& chunk = chunks[direction.reverse ? chunks.size() - 1 - i : i];
    recurrence.begin = chunk.begin;
    recurrence.end = chunk.end;
    recurrence.gates = training ? at(reserve.gates, chunk.first_row * direction.slots(), type)
                                : reserve.gates;
    input_product.fill(chunk, recurrence.gates);
    if (algorithm == Algorithm::row_blocks) {
      recurrence_forward(queue, recurrence);
    } else {
      stepwise_forward(queue, {recurrence, weight_hh, workspace.h_operand});
    }
  }
}

// All steps of one direction for a persistent kernel: the input product, and what the launch is told.
PersistentForward prepare_persistent(const Queue& queue, const Direction& direction,
                                     const RecurrentForwardArgs& args, const DirectionReserve& reserve,
                                     const PassWorkspace& workspace, const InputProductArgs& input,
                                     void* y) {
  const RecurrentConfig& config = direction.config;
  PersistentForward launch{.args = {.recurrence = recurrence_of(direction, args, reserve, workspace, y),
                                    .dropout = {}, .exchange = workspace.scratch},
                           .weight_hh = at(args.parameters, direction.weight_hh, config.data_type)};
  RecurrenceForwardArgs& recurrence = launch.args.recurrence;
  recurrence.end = args.sequences.steps;
  recurrence.gates = reserve.gates;
  if (args.reserve != nullptr) {
    launch.args.dropout = {config.recurrent_dropout,
                           {args.seed, recurrent_dropout_stream(direction.index()), args.step}};
  }
  InputProduct(queue, direction, input, workspace)
      .fill({0, args.sequences.steps, 0, args.sequences.rows}, reserve.gates);
  return launch;
}

}  // namespace

void RecurrentPlan::forward(const Queue& queue, const RecurrentForwardArgs& args) const {
  check(config_, args);
  require(queue.device == device_, "RecurrentPlan::forward: the queue is on another device than the plan");
  const DataType type = config_.data_type;
  const std::int64_t rows = args.sequences.rows;
  const bool training = args.reserve != nullptr;
  const std::vector<ParameterView> views = recurrent_parameters(config_);
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  check_shared_input(config_, args.shared_input, training);
  const PassShape shape{rows, args.sequences.steps, args.sequences.batch, training,
                        args.shared_input.rows};
  const Algorithm algorithm = this->algorithm(shape);
  if (is_cudnn(algorithm)) return cudnn_->forward(queue, args);
  const ChunkRule rule = chunk_rule(config_, device_, chunk_steps(algorithm));
  const PassWorkspace workspace(in_workspace, config_, device_, algorithm, shape, rule.largest(shape), false);
  const PassReserve reserve(training ? in_reserve : in_workspace, config_, algorithm, rows,
                            rule.largest(shape), training);
  const std::vector<StepChunk> chunks = step_chunks(args.sequences, rule);

  const void* x = args.x;
  for (int layer = 0; layer < config_.num_layers; ++layer) {
    const std::int64_t input = layer == 0 ? config_.input_size : config_.output_size();
    if (void* dropped = reserve.dropped_input[layer]; dropped != nullptr) {
      dropout_rows(queue, {.type = type, .sequences = args.sequences, .columns = input,
                           .rate = layer == 0 ? config_.input_dropout : config_.layer_dropout,
                           .random = {args.seed, input_dropout_stream(layer), args.step},
                           .x = x, .y = dropped});
      x = dropped;
    }
    void* const y = layer + 1 == config_.num_layers ? args.y : reserve.output[layer];
    const InputProductArgs product{x, layer == 0 ? args.shared_input : SharedInput{}, args.parameters};
    const auto begin = [&](const Direction& direction, const PassWorkspace& own) {
      combine_biases(queue, {.cell = config_.cell, .type = type, .hidden_size = config_.hidden_size,
                             .bias_ih = at(args.parameters, direction.bias_ih, type),
                             .bias_hh = at(args.parameters, direction.bias_hh, type),
                             .out = own.bias});
      load_state(queue, args.sequences, config_, args.h0, direction.index(), own.h_state);
      if (has_cell_state(config_.cell)) {
        load_state(queue, args.sequences, config_, args.c0, direction.index(), own.c_state);
      }
    };
    const auto end = [&](const Direction& direction, const PassWorkspace& own) {
      store_state(queue, args.sequences, config_, own.h_state, args.h_n, direction.index());
      store_state(queue, args.sequences, config_, own.c_state, args.c_n, direction.index());
    };
    std::vector<PersistentForward> together;
    for (int d = 0; d < config_.directions(); ++d) {
      const Direction direction(config_, views, layer, d);
      const TraceRange range(name_of(config_.cell), "forward", layer, direction.reverse);
      const DirectionReserve& kept = reserve.directions[direction.index()];
      if (is_persistent(algorithm)) {
        const PassWorkspace own = workspace.of_direction(d);
        begin(direction, own);
        together.push_back(prepare_persistent(queue, direction, args, kept, own, product, y));
      } else {
        begin(direction, workspace);
        run(queue, direction, args, algorithm, chunks, kept, workspace, product, y);
        end(direction, workspace);
      }
    }
    if (is_persistent(algorithm)) {
      const TraceRange range(name_of(algorithm), "forward", layer, false);
      const bool dropout = training && config_.recurrent_dropout > 0.0;
      run_persistent(queue,
                     persistent_request(config_, algorithm, RecurrentPass::forward,
                                        args.sequences.batch, dropout),
                     together);
      for (int d = 0; d < config_.directions(); ++d) {
        end(Direction(config_, views, layer, d), workspace.of_direction(d));
      }
    }
    x = y;
  }
}

}  // namespace sluice
