#include "engine/loops/stepwise.h"

#include <algorithm>

#include "engine/pass/direction.h"
#include "kernels/arrays/gemm.h"
#include "kernels/time_loops/cell_step.h"
#include "kernels/time_loops/recurrent_state.h"

namespace sluice {
namespace {

// One step's rows in the packed arrangement.
struct Step {
  std::int64_t begin, rows;  // packed rows [begin, begin + rows)
  std::int64_t before;       // packed row of row 0 in the step before, in this direction
  std::int64_t continued;    // rows that have a step before; the others begin here
};

Step step_at(const Sequences& sequences, std::int32_t t, bool reverse) {
  const std::int32_t* offsets = sequences.host_offsets;
  const std::int32_t before = reverse ? t + 1 : t - 1;
  Step step{offsets[t], offsets[t + 1] - offsets[t], 0, 0};
  if (before >= 0 && before < sequences.steps) {
    step.before = offsets[before];
    step.continued = std::min<std::int64_t>(step.rows, offsets[before + 1] - offsets[before]);
  }
  return step;
}

// to[rows, n] = beta to + from[rows, k] op(weight); strides in elements. Gates are of `type`,
// gradients by a state of state_type(type).
struct Product {
  const Queue& queue;
  DataType type;
  MatrixMath math;
  std::int64_t rows, hidden;
  const void* weight_hh;

  // Slots [slot, ...) of `gates` += h R^T of gates [gate, gate + gates).
  void forward(const void* h, std::int64_t ldh, int gate, int gates, void* to, std::int64_t ld,
               double beta) const {
    gemm(queue, {.type = type,
                 .math = math,
                 .transpose_b = true,
                 .m = rows,
                 .n = gates * hidden,
                 .k = hidden,
                 .beta = beta,
                 .a = h,
                 .lda = ldh,
                 .b = at(weight_hh, gate * hidden * hidden, type),
                 .ldb = hidden,
                 .c = to,
                 .ldc = ld});
  }
  // to [rows, H] = beta to + dg R of gates [gate, gate + gates).
  void backward(const void* dg, std::int64_t ld, int gate, int gates, void* to, double beta) const {
    gemm(queue, {.type = type,
                 .wide_c = true,
                 .math = math,
                 .m = rows,
                 .n = hidden,
                 .k = gates * hidden,
                 .beta = beta,
                 .a = dg,
                 .lda = ld,
                 .b = at(weight_hh, gate * hidden * hidden, type),
                 .ldb = hidden,
                 .c = to,
                 .ldc = hidden});
  }
};

// The slot of the gates buffer that takes, and later gives back, the product of gate g.
int product_slot(Cell cell, int gate) { return cell == Cell::gru && gate == 2 ? 3 : gate; }

}  // namespace

void stepwise_forward(const Queue& queue, const StepwiseForwardArgs& args) {
  const RecurrenceForwardArgs& r = args.recurrence;
  const Cell cell = r.shape.cell;  // no structured binding: clang 14 does not capture those
  const DataType type = r.shape.type;
  const MatrixMath math = r.shape.math;
  const std::int64_t hidden = r.shape.hidden_size;
  const std::int64_t slots = slot_count(cell) * hidden, batch = r.sequences.batch;
  const int gates = gate_count(cell);
  const bool as_it_is =
      r.mask == nullptr && !is_16_bit(type);  // h_state itself enters the products
  if (!as_it_is) {
    const std::int64_t planes = r.mask == nullptr ? 1 : gates;
    mask_state(queue, {type, planes, batch, hidden, r.mask, r.h_state, args.h_operand});
  }
  const std::int64_t first_row = r.sequences.host_offsets[r.begin];
  for (std::int32_t s = r.begin; s < r.end; ++s) {
    const Step step = step_at(r.sequences, r.reverse ? r.end - 1 - (s - r.begin) : s, r.reverse);
    const Product product{queue, type, math, step.rows, hidden, args.weight_hh};
    void* const row = at(r.gates, (step.begin - first_row) * slots, type);
    // Gates [gate, gate + count) from the state, or each from its own masked state.
    const auto from_state = [&](int gate, int count) {
      const int slot = product_slot(cell, gate);
      const double beta = slot == gate ? 1.0 : 0.0;
      void* const to = at(row, slot * hidden, type);
      if (r.mask == nullptr) {
        return product.forward(as_it_is ? r.h_state : args.h_operand, hidden, gate, count, to,
                               slots, beta);
      }
      for (int g = gate; g < gate + count; ++g) {
        product.forward(at(args.h_operand, g * batch * hidden, type), hidden, g, 1,
                        at(to, (g - gate) * hidden, type), slots, beta);
      }
    };
    const CellStepForwardArgs cell_args{
        .cell = cell,
        .type = type,
        .rows = step.rows,
        .batch = batch,
        .hidden_size = hidden,
        .gates = row,
        .bias = r.bias,
        .h_state = r.h_state,
        .c_state = r.c_state,
        .c = r.c == nullptr ? nullptr : at(r.c, step.begin * hidden, type),
        .h = at(r.h, step.begin * r.ldh, type),
        .ldh = r.ldh,
        .mask = r.mask,
        .h_operand = as_it_is ? nullptr : args.h_operand};
    switch (cell) {
      case Cell::gru:
        from_state(0, 2);
        from_state(2, 1);
        cell_step_forward(queue, cell_args);
        break;
      case Cell::gru_reset_before:
        from_state(0, 2);
        cell_step_forward(queue, cell_args, CellPhase::operand);
        product.forward(at(row, 3 * hidden, type), slots, 2, 1, at(row, 2 * hidden, type), slots,
                        1.0);
        cell_step_forward(queue, cell_args, CellPhase::output);
        break;
      default: from_state(0, gates); cell_step_forward(queue, cell_args);
    }
  }
}

void stepwise_backward(const Queue& queue, const StepwiseBackwardArgs& args) {
  const RecurrenceBackwardArgs& r = args.recurrence;
  const Cell cell = r.shape.cell;  // no structured binding: clang 14 does not capture those
  const DataType type = r.shape.type;
  const MatrixMath math = r.shape.math;
  const std::int64_t hidden = r.shape.hidden_size;
  const std::int64_t slots = slot_count(cell) * hidden, batch = r.sequences.batch;
  const int gates = gate_count(cell);
  const std::int64_t first_row = r.sequences.host_offsets[r.begin];
  for (std::int32_t s = r.begin; s < r.end; ++s) {
    const Step step = step_at(r.sequences, r.reverse ? s : r.end - 1 - (s - r.begin), r.reverse);
    const Product product{queue, type, math, step.rows, hidden, args.weight_hh};
    void* const row = at(r.gates, (step.begin - first_row) * slots, type);
    // dh_state += what comes back through R of the first `count` gates.
    const auto through_weights = [&](int count) {
      const auto from = [&](int gate) { return at(row, product_slot(cell, gate) * hidden, type); };
      if (r.mask != nullptr) {
        for (int g = 0; g < count; ++g) {
          product.backward(from(g), slots, g, 1,
                           at(args.d_masked, g * batch * hidden, state_type(type)), 0.0);
        }
        return unmask_gradient(
            queue, {type, count, step.rows, batch, hidden, r.mask, args.d_masked, r.dh_state});
      }
      if (cell == Cell::gru) {
        product.backward(from(0), slots, 0, 2, r.dh_state, 1.0);
        return product.backward(from(2), slots, 2, 1, r.dh_state, 1.0);
      }
      product.backward(from(0), slots, 0, count, r.dh_state, 1.0);
    };
    const CellStepBackwardArgs cell_args{
        .cell = cell,
        .type = type,
        .rows = step.rows,
        .batch = batch,
        .hidden_size = hidden,
        .gates = row,
        .h_previous = at(r.h, step.before * r.ldh, type),
        .ldh = r.ldh,
        .c_previous = r.c == nullptr ? nullptr : at(r.c, step.before * hidden, type),
        .previous_rows = step.continued,
        .h_initial = r.h_initial,
        .c_initial = r.c_initial,
        .c = r.c == nullptr ? nullptr : at(r.c, step.begin * hidden, type),
        .dy = r.dy == nullptr ? nullptr : at(r.dy, step.begin * r.lddy, type),
        .lddy = r.lddy,
        .dh_state = r.dh_state,
        .dc_state = r.dc_state,
        .mask = r.mask,
        .dq = args.dq};
    if (cell == Cell::gru_reset_before) {
      cell_step_backward(queue, cell_args, CellPhase::output);
      product.backward(at(row, 2 * hidden, type), slots, 2, 1, args.dq, 0.0);
      cell_step_backward(queue, cell_args, CellPhase::operand);
      through_weights(2);
    } else {
      cell_step_backward(queue, cell_args);
      through_weights(gates);
    }
  }
}

}  // namespace sluice
