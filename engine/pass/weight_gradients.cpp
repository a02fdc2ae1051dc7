#include "engine/pass/weight_gradients.h"

#include "engine/loops/element.h"
#include "kernels/arrays/bias.h"
#include "kernels/arrays/convert.h"
#include "kernels/arrays/gemm.h"
#include "kernels/cells/bias_slots.h"
#include "kernels/device/device.h"
#include "kernels/time_loops/recurrent_state.h"
#include "kernels/time_loops/unit_weight_gradients.h"

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
    for (const ProductRun& run : product_runs(spec_of(direction_.config.cell))) {
      if (run.operand < 0) {
        from_previous(run);
      } else {  // these gates were fed a slot, which backward left alone
        product({.column = run.slot * hidden_,
                 .columns = run.count * hidden_,
                 .row = 0,
                 .rows = args_.chunk.rows},
                at(args_.gates, run.operand * hidden_, type_), direction_.slots(), weight(run.gate),
                hidden_, args_.add);
      }
    }
  }

  void unit_weights() const {
    if (spec_of(direction_.config.cell).unit_weights == 0) return;
    unit_weight_gradients(
        queue_, {.cell = direction_.config.cell,
                 .type = type_,
                 .sequences = args_.sequences,
                 .reverse = direction_.reverse,
                 .first_row = args_.chunk.first_row,
                 .rows = args_.chunk.rows,
                 .hidden_size = hidden_,
                 .gates = args_.gates,
                 .h = args_.h,
                 .ldh = args_.ldh,
                 .c = args_.c,
                 .h_initial = args_.h_initial,
                 .c_initial = args_.c_initial,
                 .mask = args_.mask,
                 .add = args_.add,
                 .out = at(args_.d_parameters, direction_.unit_weights, state_type(type_)),
                 .workspace = workspace_.unit_weight_sums,
                 .workspace_bytes = workspace_.unit_weight_sums_bytes});
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

  // The rows of R of a run that multiplied the states before.
  void from_previous(const ProductRun& run) const {
    if (args_.mask == nullptr && args_.sequences.equal_lengths) return shifted(run);
    const Sequences& s = args_.sequences;
    const int each = args_.mask == nullptr ? run.count : 1;  // every gate has a mask of its own
    for (int g = 0; g < run.count; g += each) {
      previous_states(queue_,
                      {.type = type_,
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
                                   : at(args_.mask, (run.gate + g) * s.batch * hidden_, type_),
                       .out = workspace_.previous});
      product({.column = (run.slot + g) * hidden_,
               .columns = each * hidden_,
               .row = 0,
               .rows = args_.chunk.rows},
              workspace_.previous, hidden_, weight(run.gate + g), hidden_, args_.add);
    }
  }

  // Equal lengths: the states before are the output moved by a step, and the initial state where
  // the chunk holds the direction's first step.
  void shifted(const ProductRun& run) const {
    const StepChunk& chunk = args_.chunk;
    const std::int64_t batch = args_.sequences.batch;
    const bool first = direction_.reverse ? chunk.end == args_.sequences.steps : chunk.begin == 0;
    const std::int64_t rows = chunk.rows - (first ? batch : 0);
    Block block{.column = run.slot * hidden_,
                .columns = run.count * hidden_,
                .row = first && !direction_.reverse ? batch : 0,
                .rows = rows};
    const std::int64_t before = chunk.first_row + block.row + (direction_.reverse ? batch : -batch);
    product(block, at(args_.h, before * args_.ldh, type_), args_.ldh, weight(run.gate), hidden_,
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
      product(block, initial, hidden_, weight(run.gate), hidden_, args_.add || rows > 0);
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
  const Gradients gradients(queue, direction, args, workspace);
  gradients.recurrent_weights();
  gradients.unit_weights();
}

void bias_gradients(const Queue& queue, const Direction& direction, const void* gates,
                    std::int64_t rows, void* d_parameters, const DirectionWorkspace& workspace) {
  const DataType type = direction.config.data_type, wide = state_type(type);
  const CellSpec& cell = spec_of(direction.config.cell);
  const BiasSlots biases = bias_slots(cell);
  const std::int64_t hidden = direction.hidden();
  int summed = 0;  // slots up to the last that has a bias
  for (int s = 0; s < cell.slots; ++s) {
    if (cell.slot[s].bias != SlotBias::none) summed = s + 1;
  }
  column_sum(queue, {.type = type,
                     .rows = rows,
                     .columns = summed * hidden,
                     .x = gates,
                     .ld = direction.slots(),
                     .out = workspace.d_bias,
                     .workspace = workspace.column_sum,
                     .workspace_bytes = workspace.column_sum_bytes});
  // A bias's gates from the slots that they were added to, those that follow each other at once.
  const auto put = [&](std::int64_t parameter, std::uint32_t gate_of_slots) {
    const auto gate_of = [&](int slot) { return BiasSlots::gate(gate_of_slots, slot); };
    for (int slot = 0, count = 1; slot < summed; slot += count, count = 1) {
      if (gate_of(slot) == BiasSlots::none) continue;
      while (slot + count < summed && gate_of(slot + count) == gate_of(slot) + count) ++count;
      copy(queue, at(d_parameters, parameter + gate_of(slot) * hidden, wide),
           at(workspace.d_bias, slot * hidden, wide),
           static_cast<std::size_t>(count * hidden) * size_of(wide));
    }
  };
  put(direction.bias_ih, biases.input_gates);
  put(direction.bias_hh, biases.recurrent_gates);
}

}  // namespace sluice
