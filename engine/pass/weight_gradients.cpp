#include "engine/pass/weight_gradients.h"

#include "kernels/arrays/bias.h"
#include "kernels/arrays/convert.h"
#include "kernels/arrays/gemm.h"
#include "kernels/device/device.h"
#include "kernels/time_loops/recurrent_state.h"

namespace sluice {
namespace {

class Gradients {
 public:
  Gradients(const Queue& queue, const Direction& direction, const WeightGradientArgs& args,
            const DirectionWorkspace& workspace)
      : queue_(queue),
        direction_(direction),
        args_(args),
        workspace_(workspace),
        type_(direction.config.data_type),
        hidden_(direction.hidden()) {}

  void recurrent_weights() const {
    switch (direction_.config.cell) {
      case Cell::gru:
        from_previous(0, 0, 2);
        from_previous(2, 3, 1);
        break;
      case Cell::gru_reset_before:
        from_previous(0, 0, 2);
        // Gate n was fed r m h_prev, which slot q kept.
        product({.column = 2 * hidden_, .columns = hidden_, .row = 0, .rows = args_.chunk.rows},
                at(args_.gates, 3 * hidden_, type_), direction_.slots(), weight(2), hidden_,
                args_.add);
        break;
      default: from_previous(0, 0, gate_count(direction_.config.cell));
    }
  }

 private:
  // Part of `gates`.
  struct Block {
    std::int64_t column, columns, row, rows;
  };

  std::int64_t weight(int gate) const { return direction_.weight_hh + gate * hidden_ * hidden_; }

  // d_parameters [columns, width] at `parameter` (+)= block^T b [rows, width].
  void product(const Block& block, const void* b, std::int64_t ldb, std::int64_t parameter,
               std::int64_t width, bool add) const {
    if (block.rows == 0) return;
    gemm(queue_, {.type = type_,
                  .wide_c = true,
                  .math = direction_.config.math,
                  .transpose_a = true,
                  .m = block.columns,
                  .n = width,
                  .k = block.rows,
                  .beta = add ? 1.0 : 0.0,
                  .a = at(args_.gates, block.row * direction_.slots() + block.column, type_),
                  .lda = direction_.slots(),
                  .b = b,
                  .ldb = ldb,
                  .c = at(args_.d_parameters, parameter, state_type(type_)),
                  .ldc = width});
  }

  // The rows of R of gates [gate, gate + count), whose gradients lie in slots from `slot` on.
  void from_previous(int gate, int slot, int count) const {
    if (args_.mask == nullptr && args_.sequences.equal_lengths) return shifted(gate, slot, count);
    const Sequences& s = args_.sequences;
    const int each = args_.mask == nullptr ? count : 1;  // every gate has a mask of its own
    for (int g = 0; g < count; g += each) {
      previous_states(queue_, {.type = type_,
                               .sequences = s,
                               .reverse = direction_.reverse,
                               .first_row = args_.chunk.first_row,
                               .rows = args_.chunk.rows,
                               .hidden_size = hidden_,
                               .h = args_.h,
                               .ldh = args_.ldh,
                               .h_initial = args_.h_initial,
                               .mask = args_.mask == nullptr
                                           ? nullptr
                                           : at(args_.mask, (gate + g) * s.batch * hidden_, type_),
                               .out = workspace_.previous});
      product({.column = (slot + g) * hidden_,
               .columns = each * hidden_,
               .row = 0,
               .rows = args_.chunk.rows},
              workspace_.previous, hidden_, weight(gate + g), hidden_, args_.add);
    }
  }

  // Equal lengths: the states before are the output moved by a step, and the initial state where
  // the chunk holds the direction's first step.
  void shifted(int gate, int slot, int count) const {
    const StepChunk& chunk = args_.chunk;
    const std::int64_t batch = args_.sequences.batch;
    const bool first = direction_.reverse ? chunk.end == args_.sequences.steps : chunk.begin == 0;
    const std::int64_t rows = chunk.rows - (first ? batch : 0);
    Block block{.column = slot * hidden_,
                .columns = count * hidden_,
                .row = first && !direction_.reverse ? batch : 0,
                .rows = rows};
    const std::int64_t before = chunk.first_row + block.row + (direction_.reverse ? batch : -batch);
    product(block, at(args_.h, before * args_.ldh, type_), args_.ldh, weight(gate), hidden_,
            args_.add);
    if (first) {
      block.row = direction_.reverse ? rows : 0;
      block.rows = batch;
      const void* initial = args_.h_initial;
      if (is_16_bit(type_)) {
        convert(queue_, {.count = batch * hidden_,
                         .from_type = state_type(type_),
                         .from = args_.h_initial,
                         .to_type = type_,
                         .to = workspace_.previous});
        initial = workspace_.previous;
      }
      product(block, initial, hidden_, weight(gate), hidden_, args_.add || rows > 0);
    }
  }

  const Queue& queue_;
  const Direction& direction_;
  const WeightGradientArgs& args_;
  const DirectionWorkspace& workspace_;
  const DataType type_;
  const std::int64_t hidden_;
};

}  // namespace

void weight_gradients(const Queue& queue, const Direction& direction,
                      const WeightGradientArgs& args, const DirectionWorkspace& workspace) {
  Gradients(queue, direction, args, workspace).recurrent_weights();
}

void bias_gradients(const Queue& queue, const Direction& direction, const void* gates,
                    std::int64_t rows, void* d_parameters, const DirectionWorkspace& workspace) {
  const DataType type = direction.config.data_type, wide = state_type(type);
  const Cell cell = direction.config.cell;
  const std::int64_t hidden = direction.hidden();
  const std::int64_t columns =
      cell == Cell::gru_reset_before ? direction.gates() : direction.slots();
  column_sum(queue, {.type = type,
                     .rows = rows,
                     .columns = columns,
                     .x = gates,
                     .ld = direction.slots(),
                     .out = workspace.d_bias,
                     .workspace = workspace.column_sum,
                     .workspace_bytes = workspace.column_sum_bytes});
  const auto put = [&](std::int64_t parameter, std::int64_t from, std::int64_t count) {
    copy(queue, at(d_parameters, parameter, wide), at(workspace.d_bias, from, wide),
         static_cast<std::size_t>(count) * size_of(wide));
  };
  put(direction.bias_ih, 0, direction.gates());
  if (cell == Cell::gru) {
    put(direction.bias_hh, 0, 2 * hidden);
    put(direction.bias_hh + 2 * hidden, 3 * hidden, hidden);
  } else {
    put(direction.bias_hh, 0, direction.gates());
  }
}

}  // namespace sluice
