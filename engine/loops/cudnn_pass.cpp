#include "engine/loops/cudnn_pass.h"

#include <algorithm>

#include "engine/loops/element.h"
#include "engine/loops/input_dropout.h"
#include "kernels/arrays/convert.h"
#include "kernels/arrays/rows.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/embedding.h"

namespace sluice {
namespace {

CudnnAlgorithm cudnn_algorithm(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::cudnn_standard: return CudnnAlgorithm::standard;
    case Algorithm::cudnn_persist_static: return CudnnAlgorithm::persist_static;
    case Algorithm::cudnn_persist_dynamic: return CudnnAlgorithm::persist_dynamic;
    case Algorithm::cudnn_persist_static_small_h: return CudnnAlgorithm::persist_static_small_h;
    default: return CudnnAlgorithm::best;
  }
}

/// States [L*D, B, H] in the caller's order of rows, as cuDNN wants them: in sorted order.
class SortedStates {
 public:
  SortedStates(const Queue& queue, const RecurrentConfig& config, const Sequences& sequences)
      : queue_(queue), config_(config), sequences_(sequences) {}

  /// `states` itself where its rows are sorted already, else a sorted copy in `memory`.
  const void* load(const void* states, void* memory) const {
    if (states == nullptr || sequences_.sorted_as_given) return states;
    for (int plane = 0; plane < planes(); ++plane) {
      gather_rows(queue_, {.type = config_.data_type,
                           .rows = sequences_.batch,
                           .columns = config_.hidden_size,
                           .source = start(states, plane),
                           .ld_source = config_.hidden_size,
                           .index = sequences_.order,
                           .to = start(memory, plane),
                           .ld_to = config_.hidden_size});
    }
    return memory;
  }
  /// Where cuDNN is to write what store() then brings to `states`.
  void* place(void* states, void* memory) const {
    return states == nullptr || sequences_.sorted_as_given ? states : memory;
  }
  void store(const void* memory, void* states) const {
    if (states == nullptr || sequences_.sorted_as_given) return;
    for (int plane = 0; plane < planes(); ++plane) {
      scatter_rows(queue_, {.type = config_.data_type,
                            .rows = sequences_.batch,
                            .columns = config_.hidden_size,
                            .source = start(memory, plane),
                            .ld_source = config_.hidden_size,
                            .index = sequences_.order,
                            .to = start(states, plane),
                            .ld_to = config_.hidden_size});
    }
  }
  /// The planes of a stack that begins at `layer`; null stays null.
  template <class Pointer>
  Pointer from_layer(Pointer states, int layer) const {
    return states == nullptr ? nullptr : start(states, layer * config_.directions());
  }

 private:
  int planes() const { return config_.num_layers * config_.directions(); }
  template <class Pointer>
  Pointer start(Pointer states, int plane) const {
    return at(states, plane * sequences_.batch * config_.hidden_size, config_.data_type);
  }

  const Queue& queue_;
  const RecurrentConfig& config_;
  const Sequences& sequences_;
};

PassShape shape_of(const Sequences& sequences, const SharedInput& shared, bool training) {
  return {sequences.rows, sequences.steps, sequences.batch, training, shared.rows};
}

}  // namespace

std::string why_cudnn_cannot(const RecurrentConfig& config) {
  const std::string cell = why_not_in_cudnn(config.cell);
  if (!cell.empty()) return cell;
  if (config.gate_input) return "cuDNN multiplies every input by a matrix (gate_input)";
  const UnitOptions options = config.unit_options();
  for (const UnitOption& option : unit_option_list) {
    if (options.*option.rate > 0.0) return std::string("cuDNN has no ") + option.words;
  }
  constexpr std::int64_t kMost = 1 << 30;  // cuDNN's sizes are of 32 bits
  if (config.input_size > kMost || config.hidden_size > kMost) return "cuDNN's sizes end at 2^30";
  return "";
}

CudnnPass::CudnnPass(const RecurrentConfig& config, Algorithm algorithm) : config_(config) {
  const std::string problem = why_cudnn_cannot(config);
  require(problem.empty(), std::string("RecurrentPlan: algorithm ") + name_of(algorithm) +
                               " does not cover this configuration: " + problem +
                               "; use stepwise or automatic");
  const std::vector<ParameterView> views = recurrent_parameters(config);
  const int layers = config.layer_dropout > 0.0 ? 1 : config.num_layers;
  for (int layer = 0; layer < config.num_layers; layer += layers) {
    stacks_.push_back({layer, find_parameter(views, ParameterKind::input_matrix, layer, 0)->offset,
                       CudnnRnn({.cell = config.cell,
                                 .type = config.data_type,
                                 .math = config.math,
                                 .input_size = input_size_of(config, layer),
                                 .hidden_size = config.hidden_size,
                                 .num_layers = layers,
                                 .bidirectional = config.bidirectional,
                                 .algorithm = cudnn_algorithm(algorithm)})});
  }
}

std::vector<CudnnPass::StackReserve> CudnnPass::divide_reserve(Carver& carver,
                                                               const PassShape& shape) const {
  const std::size_t element = size_of(config_.data_type);
  std::vector<StackReserve> parts;
  for (const Stack& stack : stacks_) {
    const CudnnRnn::Bytes bytes = stack.rnn.bytes(shape.steps, shape.batch, shape.training);
    StackReserve part;
    part.weights = carver.take(bytes.weights);
    if (shape.training) part.reserve = carver.take(bytes.reserve);
    const bool shared = stack.first_layer == 0 && shape.shared_rows > 0;
    if (shared || (shape.training && input_dropout_rate(config_, stack.first_layer) > 0.0)) {
      part.input = carver.take(shape.rows * stack.rnn.config().input_size * element);
    }
    if (&stack != &stacks_.back()) {
      part.output = carver.take(shape.rows * config_.output_size() * element);
    }
    parts.push_back(part);
  }
  return parts;
}

/// Free again after each pass.
struct CudnnPass::Workspace {
  void* scratch = nullptr;  ///< cuDNN's
  void* states[6] = {};     ///< [L*D, B, H] sorted: h and c in, h and c out, dh_n, dc_n
  // Backward alone:
  void* no_dy = nullptr;       ///< [N, D*H] zeros, where the caller has no dy
  void* own_dx = nullptr;      ///< [N, I] what nobody asked for, or not yet summed
  void* d_output[2] = {};      ///< [N, D*H] gradients between stacks, by turns
  void* d_weights = nullptr;   ///< in cuDNN's arrangement
  void* shared_sum = nullptr;  ///< with a shared input
  std::size_t shared_sum_bytes = 0;
  void* wide_dx = nullptr;  ///< 16-bit: [U, I] sums over the rows that share one, unrounded

  Workspace(Carver& carver, const CudnnPass& pass, const PassShape& shape, bool backward) {
    const RecurrentConfig& config = pass.config_;
    const std::size_t element = size_of(config.data_type);
    CudnnRnn::Bytes most;
    for (const Stack& stack : pass.stacks_) {
      const CudnnRnn::Bytes bytes = stack.rnn.bytes(shape.steps, shape.batch, shape.training);
      most.workspace = std::max(most.workspace, bytes.workspace);
      most.weights = std::max(most.weights, bytes.weights);
    }
    scratch = carver.take(most.workspace);
    const std::size_t state =
        config.num_layers * config.directions() * shape.batch * config.hidden_size * element;
    for (int i = 0; i < (backward ? 6 : 4); ++i) {
      if (i % 2 == 0 || has_cell_state(config.cell)) states[i] = carver.take(state);
    }
    if (!backward) return;
    const std::size_t output = shape.rows * config.output_size() * element;
    no_dy = carver.take(output);
    own_dx = carver.take(shape.rows * config.input_size * element);
    for (std::size_t i = 0; i < 2 && i + 1 < pass.stacks_.size(); ++i)
      d_output[i] = carver.take(output);
    d_weights = carver.take(most.weights);
    if (shape.shared_rows > 0) {
      shared_sum_bytes = embedding_backward_workspace_bytes(
          {.device = DeviceKind::cuda}, config.data_type, shape.rows, config.input_size);
      shared_sum = carver.take(shared_sum_bytes);
      const DataType wide = state_type(config.data_type);
      if (wide != config.data_type)
        wide_dx = carver.take(shape.shared_rows * config.input_size * size_of(wide));
    }
  }
};

std::size_t CudnnPass::reserve_bytes(const PassShape& shape) const {
  Carver carver(nullptr);
  if (shape.training) divide_reserve(carver, shape);
  return carver.used();
}

std::size_t CudnnPass::workspace_bytes(const PassShape& shape) const {
  Carver forward(nullptr), inference(nullptr), backward(nullptr);
  PassShape other = shape;
  other.training = false;
  Workspace(forward, *this, shape, false);
  Workspace(inference, *this, other, false);
  divide_reserve(inference, other);
  if (shape.training) Workspace(backward, *this, shape, true);
  return std::max({forward.used(), inference.used(), backward.used()});
}

void CudnnPass::forward(const Queue& queue, const RecurrentForwardArgs& args) const {
  const bool training = args.reserve != nullptr;
  const PassShape shape = shape_of(args.sequences, args.shared_input, training);
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  const Workspace workspace(in_workspace, *this, shape, false);
  const std::vector<StackReserve> reserve =
      divide_reserve(training ? in_reserve : in_workspace, shape);
  const SortedStates sorted(queue, config_, args.sequences);
  const void* const h0 = sorted.load(args.h0, workspace.states[0]);
  const void* const c0 = sorted.load(args.c0, workspace.states[1]);
  void* const h_n = sorted.place(args.h_n, workspace.states[2]);
  void* const c_n = sorted.place(args.c_n, workspace.states[3]);

  const void* x = args.x;
  for (std::size_t i = 0; i < stacks_.size(); ++i) {
    const Stack& stack = stacks_[i];
    const std::int64_t columns = stack.rnn.config().input_size;
    void* const input = reserve[i].input;
    if (i == 0 && args.shared_input.index != nullptr) {
      gather_rows(queue, {.type = config_.data_type,
                          .rows = shape.rows,
                          .columns = columns,
                          .source = x,
                          .ld_source = columns,
                          .index = args.shared_input.index,
                          .to = input,
                          .ld_to = columns});
      x = input;
    } else if (input != nullptr) {
      drop_input(queue, {.config = config_,
                         .drops = args.drops,
                         .sequences = args.sequences,
                         .layer = stack.first_layer,
                         .seed = args.seed,
                         .step = args.step,
                         .x = x,
                         .y = input});
      x = input;
    }
    void* const y = i + 1 == stacks_.size() ? args.y : reserve[i].output;
    const TraceRange range("cuDNN", "forward", stack.first_layer, false);
    stack.rnn.load_weights(queue, at(args.parameters, stack.parameters, config_.data_type),
                           reserve[i].weights);
    stack.rnn.forward(queue, {.sequences = args.sequences,
                              .training = training,
                              .weights = reserve[i].weights,
                              .x = x,
                              .h0 = sorted.from_layer(h0, stack.first_layer),
                              .c0 = sorted.from_layer(c0, stack.first_layer),
                              .y = y,
                              .h_n = sorted.from_layer(h_n, stack.first_layer),
                              .c_n = sorted.from_layer(c_n, stack.first_layer),
                              .workspace = workspace.scratch,
                              .reserve = reserve[i].reserve});
    x = y;
  }
  sorted.store(h_n, args.h_n);
  sorted.store(c_n, args.c_n);
}

void CudnnPass::backward(const Queue& queue, const RecurrentBackwardArgs& args) const {
  const DataType type = config_.data_type;
  const PassShape shape = shape_of(args.sequences, args.shared_input, true);
  Carver in_workspace(args.workspace), in_reserve(args.reserve);
  const Workspace workspace(in_workspace, *this, shape, true);
  const std::vector<StackReserve> reserve = divide_reserve(in_reserve, shape);
  const SortedStates sorted(queue, config_, args.sequences);
  const void* const h0 = sorted.load(args.h0, workspace.states[0]);
  const void* const c0 = sorted.load(args.c0, workspace.states[1]);
  void* const dh0 = sorted.place(args.dh0, workspace.states[2]);
  void* const dc0 = sorted.place(args.dc0, workspace.states[3]);
  const void* const dh_n = sorted.load(args.dh_n, workspace.states[4]);
  const void* const dc_n = sorted.load(args.dc_n, workspace.states[5]);

  const void* dy = args.dy;
  if (dy == nullptr) {
    fill_zero(queue, workspace.no_dy, shape.rows * config_.output_size() * size_of(type));
    dy = workspace.no_dy;
  }
  for (std::size_t i = stacks_.size(); i-- > 0;) {
    const Stack& stack = stacks_[i];
    const bool shared = i == 0 && args.shared_input.index != nullptr;
    const void* const given = i == 0 ? args.x : reserve[i - 1].output;
    const void* const x = reserve[i].input != nullptr ? reserve[i].input : given;
    const std::int64_t columns = stack.rnn.config().input_size;
    void* const dx = i > 0                          ? workspace.d_output[(i - 1) % 2]
                     : args.dx == nullptr || shared ? workspace.own_dx
                                                    : args.dx;
    const TraceRange range("cuDNN", "backward", stack.first_layer, false);
    void* const d_weights = args.d_parameters == nullptr ? nullptr : workspace.d_weights;
    stack.rnn.backward(queue, {.sequences = args.sequences,
                               .weights = reserve[i].weights,
                               .x = x,
                               .h0 = sorted.from_layer(h0, stack.first_layer),
                               .c0 = sorted.from_layer(c0, stack.first_layer),
                               .y = i + 1 == stacks_.size() ? args.y : reserve[i].output,
                               .dy = dy,
                               .dh_n = sorted.from_layer(dh_n, stack.first_layer),
                               .dc_n = sorted.from_layer(dc_n, stack.first_layer),
                               .dx = dx,
                               .dh0 = sorted.from_layer(dh0, stack.first_layer),
                               .dc0 = sorted.from_layer(dc0, stack.first_layer),
                               .d_weights = d_weights,
                               .workspace = workspace.scratch,
                               .reserve = reserve[i].reserve});
    if (d_weights != nullptr) {
      stack.rnn.store_gradients(queue, d_weights,
                                at(args.d_parameters, stack.parameters, state_type(type)));
    }
    if (shared && args.dx != nullptr) {
      void* const sums = workspace.wide_dx != nullptr ? workspace.wide_dx : args.dx;
      embedding_backward(queue, {.type = type,
                                 .rows = shape.rows,
                                 .embedding_size = columns,
                                 .vocabulary = args.shared_input.rows,
                                 .d_out = dx,
                                 .ld_d_out = columns,
                                 .tokens = args.shared_input.index,
                                 .d_table = sums,
                                 .workspace = workspace.shared_sum,
                                 .workspace_bytes = workspace.shared_sum_bytes});
      if (sums != args.dx) {
        convert(queue, {.count = args.shared_input.rows * columns,
                        .from_type = state_type(type),
                        .from = sums,
                        .to_type = type,
                        .to = args.dx});
      }
    } else if (!shared && reserve[i].input != nullptr && (i > 0 || args.dx != nullptr)) {
      drop_input(queue, {.config = config_,
                         .drops = args.drops,
                         .sequences = args.sequences,
                         .layer = stack.first_layer,
                         .seed = args.seed,
                         .step = args.step,
                         .x = dx,
                         .y = dx});
    }
    dy = dx;
  }
  sorted.store(dh0, args.dh0);
  sorted.store(dc0, args.dc0);
}

std::string CudnnPass::explain(const PassShape& shape) const {
  const bool equal = shape.rows == std::int64_t{shape.steps} * shape.batch;
  const CudnnRnn::Choice choice =
      stacks_.front().rnn.choice({shape.steps, shape.batch, equal, shape.training});
  return "cuDNN: version " + cudnn_version_text(cudnn_presence().version) + ", its algorithm " +
         name_of(choice.algorithm) +
         (choice.fell_back.empty() ? "" : " (not " + choice.fell_back + ")") +
         (equal ? "" : ", on rows of different lengths") + ", " + std::to_string(stacks_.size()) +
         (stacks_.size() == 1 ? " call" : " calls") +
         " a pass; the same bits from run to run need CUBLAS_WORKSPACE_CONFIG=:4096:8";
}

}  // namespace sluice
