#include "engine/pass/input_product.h"

#include "engine/loops/element.h"
#include "kernels/arrays/convert.h"
#include "kernels/arrays/gemm.h"
#include "kernels/arrays/rows.h"
#include "kernels/sequences/embedding.h"

namespace sluice {
namespace {

// Where the direction's own gates begin in an input [D, U, G*H].
std::int64_t gates_of(const Direction& direction, const SharedInput& shared) {
  return direction.reverse ? shared.rows * direction.gates() : 0;
}

// Whether a product's rows must not depend on their number, which is that of a chunk: of one step
// there is one chunk, and a shared input is multiplied at once.
bool rows_apart(const InputProductArgs& args) {
  return args.many_steps && args.shared.index == nullptr;
}

// out [rows, G*H] = x [rows, in] W_ih^T.
void multiply(const Queue& queue, const Direction& direction, const InputProductArgs& args,
              const void* x, std::int64_t rows, void* out, std::int64_t ld) {
  const DataType type = direction.config.data_type;
  const std::int64_t in = direction.input_size;
  gemm(queue, {.type = type,
               .math = direction.config.math,
               .rows_apart = rows_apart(args),
               .transpose_b = true,
               .m = rows,
               .n = direction.gates(),
               .k = in,
               .a = x,
               .lda = in,
               .b = at(args.parameters, direction.weight_ih, type),
               .ldb = in,
               .c = out,
               .ldc = ld});
}

// dx [rows, in] (+)= gates W_ih.
void multiply_back(const Queue& queue, const Direction& direction, const InputGradientArgs& args,
                   const void* gates, std::int64_t ld, std::int64_t rows, void* dx) {
  const DataType type = direction.config.data_type;
  const std::int64_t in = direction.input_size;
  gemm(queue, {.type = type,
               .math = direction.config.math,
               .rows_apart = rows_apart(args.input),
               .m = rows,
               .n = in,
               .k = direction.gates(),
               .beta = args.add_to_dx ? 1.0 : 0.0,
               .a = gates,
               .lda = ld,
               .b = at(args.input.parameters, direction.weight_ih, type),
               .ldb = in,
               .c = dx,
               .ldc = in});
}

// dW_ih [G*H, in] (+)= gates^T x.
void weight_gradient(const Queue& queue, const Direction& direction, const InputGradientArgs& args,
                     const void* gates, std::int64_t ld, const void* x, std::int64_t rows,
                     bool add) {
  const DataType type = direction.config.data_type;
  const std::int64_t in = direction.input_size;
  gemm(queue, {.type = type,
               .wide_c = true,
               .math = direction.config.math,
               .transpose_a = true,
               .m = direction.gates(),
               .n = in,
               .k = rows,
               .beta = add ? 1.0 : 0.0,
               .a = gates,
               .lda = ld,
               .b = x,
               .ldb = in,
               .c = at(args.d_parameters, direction.weight_ih, state_type(type)),
               .ldc = in});
}

}  // namespace

InputProduct::InputProduct(const Queue& queue, const Direction& direction,
                           const InputProductArgs& args, const DirectionWorkspace& workspace)
    : queue_(queue), direction_(direction), args_(args), shared_gates_(workspace.shared_gates) {
  if (direction.takes_gates()) {
    shared_gates_ =
        at(args.x, gates_of(direction, args.shared), state_type(direction.config.data_type));
  } else if (args.shared.index != nullptr) {
    multiply(queue, direction, args, args.x, args.shared.rows, workspace.shared_gates,
             direction.gates());
  }
}

void InputProduct::fill(const StepChunk& chunk, void* gates) const {
  const DataType type = direction_.config.data_type;
  if (args_.shared.index == nullptr) {
    return multiply(queue_, direction_, args_,
                    at(args_.x, chunk.first_row * direction_.input_size, type), chunk.rows, gates,
                    direction_.slots());
  }
  gather_rows(queue_, {.type = type,
                       .wide_source = direction_.takes_gates(),
                       .rows = chunk.rows,
                       .columns = direction_.gates(),
                       .source = shared_gates_,
                       .ld_source = direction_.gates(),
                       .index = args_.shared.index + chunk.first_row,
                       .to = gates,
                       .ld_to = direction_.slots()});
}

const void* InputProduct::shared_rows() const {
  const DataType type = direction_.config.data_type;
  if (args_.shared.index == nullptr) return nullptr;
  return direction_.takes_gates() && state_type(type) != type ? nullptr : shared_gates_;
}

void input_gradient(const Queue& queue, const Direction& direction, const InputGradientArgs& args,
                    const StepChunk& chunk, const void* gates) {
  if (args.dx == nullptr) return;
  multiply_back(queue, direction, args, gates, direction.slots(), chunk.rows,
                at(args.dx, chunk.first_row * direction.input_size, direction.config.data_type));
}

void input_weight_gradient(const Queue& queue, const Direction& direction,
                           const InputGradientArgs& args, const StepChunk& chunk, const void* gates,
                           bool add) {
  if (args.d_parameters == nullptr) return;
  const DataType type = direction.config.data_type;
  weight_gradient(queue, direction, args, gates, direction.slots(),
                  at(args.input.x, chunk.first_row * direction.input_size, type), chunk.rows, add);
}

void shared_input_gradients(const Queue& queue, const Direction& direction,
                            const InputGradientArgs& args, std::int64_t rows, const void* gates,
                            const DirectionWorkspace& workspace) {
  if (args.d_parameters == nullptr && args.dx == nullptr) return;
  const SharedInput& shared = args.input.shared;
  const DataType type = direction.config.data_type;
  const bool rounds = is_16_bit(type);
  const auto sum_into = [&](void* d_gates) {
    embedding_backward(queue, {.type = type,
                               .rows = rows,
                               .embedding_size = direction.gates(),
                               .vocabulary = shared.rows,
                               .d_out = gates,
                               .ld_d_out = direction.slots(),
                               .tokens = shared.index,
                               .d_table = d_gates,
                               .workspace = workspace.shared_sum,
                               .workspace_bytes = workspace.shared_sum_bytes});
  };
  if (direction.takes_gates()) {
    if (args.dx != nullptr) sum_into(at(args.dx, gates_of(direction, shared), state_type(type)));
    return;
  }
  sum_into(rounds ? workspace.wide_shared_gates : workspace.shared_gates);
  if (rounds) {
    convert(queue, {.count = shared.rows * direction.gates(),
                    .from_type = state_type(type),
                    .from = workspace.wide_shared_gates,
                    .to_type = type,
                    .to = workspace.shared_gates});
  }
  if (args.d_parameters != nullptr) {
    weight_gradient(queue, direction, args, workspace.shared_gates, direction.gates(), args.input.x,
                    shared.rows, false);
  }
  if (args.dx != nullptr) {
    multiply_back(queue, direction, args, workspace.shared_gates, direction.gates(), shared.rows,
                  args.dx);
  }
}

}  // namespace sluice
