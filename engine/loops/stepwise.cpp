#include "engine/loops/stepwise.h"

#include <algorithm>

#include "engine/loops/element.h"
#include "kernels/arrays/gemm.h"
#include "kernels/time_loops/cell_step.h"
#include "kernels/time_loops/recurrent_state.h"

namespace sluice {
namespace {

// One step's rows in the packed arrangement.
struct Step {
  std::int32_t number;       // t
  std::int64_t begin, rows;  // packed rows [begin, begin + rows)
  std::int64_t before;       // packed row of row 0 in the step before, in this direction
  std::int64_t continued;    // rows that have a step before; the others begin here
};

Step step_at(const Sequences& sequences, std::int32_t t, bool reverse) {
  const std::int32_t* offsets = sequences.host_offsets;
  const std::int32_t before = reverse ? t + 1 : t - 1;
  Step step{t, offsets[t], offsets[t + 1] - offsets[t], 0, 0};
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

// The products and cell kernels of one direction's steps; the ways share what a step's launches are
// given.
template <class Args>
struct Steps {
  const Queue& queue;
  const Args& args;
  const CellSpec& spec = spec_of(args.recurrence.shape.cell);
  const ProductRuns runs = product_runs(spec);
  const DataType type = args.recurrence.shape.type, wide = state_type(type);
  const std::int64_t hidden = args.recurrence.shape.hidden_size, slots = spec.slots * hidden;
  const std::int64_t batch = args.recurrence.sequences.batch;
  const std::int64_t first_row = args.recurrence.sequences.host_offsets[args.recurrence.begin];

  // Calls use(step, gates of its rows), in the order in which the steps run.
  template <class Use>
  void for_each(bool backwards, Use use) const {
    const auto& r = args.recurrence;
    for (std::int32_t i = 0; i < r.end - r.begin; ++i) {
      const std::int32_t t = backwards ? r.end - 1 - i : r.begin + i;
      const Step step = step_at(r.sequences, t, r.reverse);
      use(step, at(r.gates, (step.begin - first_row) * slots, type));
    }
  }
  Product product(const Step& step) const {
    return {queue, type, args.recurrence.shape.math, step.rows, hidden, args.weight_hh};
  }
  void* slot(void* gates, int number) const { return at(gates, number * hidden, type); }
};

// Slots below G hold x W^T already; what lands in others begins.
double beta_of(const ProductRun& run, const CellSpec& spec) {
  return run.slot < spec.gates ? 1.0 : 0.0;
}

void forward(const Queue& queue, const LoopForwardArgs& args) {
  const RecurrenceForwardArgs& r = args.recurrence;
  const Steps<LoopForwardArgs> of{queue, args};
  const CellSpec& spec = of.spec;
  // Whether h_state itself enters the products.
  const bool as_it_is = of.runs.count == 0 || (r.mask == nullptr && !is_16_bit(of.type));
  void* const h_operand = as_it_is ? nullptr : args.memory.h_operand;
  if (!as_it_is) {
    const std::int64_t planes = r.mask == nullptr ? 1 : spec.gates;
    mask_state(queue, {of.type, planes, of.batch, of.hidden, r.mask, r.h_state, h_operand});
  }
  of.for_each(r.reverse, [&](const Step& step, void* gates) {
    const Product product = of.product(step);
    // The gates of a run from the state, or each from its own masked state.
    const auto from_state = [&](const ProductRun& run) {
      const double beta = beta_of(run, spec);
      if (r.mask == nullptr) {
        return product.forward(as_it_is ? r.h_state : h_operand, of.hidden, run.gate, run.count,
                               of.slot(gates, run.slot), of.slots, beta);
      }
      for (int g = 0; g < run.count; ++g) {
        product.forward(at(h_operand, (run.gate + g) * of.batch * of.hidden, of.type), of.hidden,
                        run.gate + g, 1, of.slot(gates, run.slot + g), of.slots, beta);
      }
    };
    const CellStepForwardArgs cell{
        .cell = r.shape.cell,
        .type = of.type,
        .rows = step.rows,
        .batch = of.batch,
        .hidden_size = of.hidden,
        .gates = gates,
        .bias = r.bias,
        .h_state = r.h_state,
        .c_state = r.c_state,
        .c = r.c == nullptr ? nullptr : at(r.c, step.begin * of.hidden, of.type),
        .h = at(r.h, step.begin * r.ldh, of.type),
        .ldh = r.ldh,
        .mask = r.mask,
        .h_operand = h_operand,
        .unit_weights = r.unit_weights,
        .draws = r.draws,
        .step = step.number,
        .order = r.sequences.order};
    for (const ProductRun& run : of.runs) {
      if (run.operand < 0) from_state(run);
    }
    if (!spec.two_phases()) return cell_step_forward(queue, cell);
    cell_step_forward(queue, cell, CellPhase::operand);
    for (const ProductRun& run : of.runs) {
      if (run.operand < 0) continue;
      product.forward(of.slot(gates, run.operand), of.slots, run.gate, run.count,
                      of.slot(gates, run.slot), of.slots, beta_of(run, spec));
    }
    cell_step_forward(queue, cell, CellPhase::output);
  });
}

void backward(const Queue& queue, const LoopBackwardArgs& args) {
  const RecurrenceBackwardArgs& r = args.recurrence;
  const Steps<LoopBackwardArgs> of{queue, args};
  of.for_each(!r.reverse, [&](const Step& step, void* gates) {
    const Product product = of.product(step);
    // dh_state += what comes back through R of the gates that take h.
    const auto through_weights = [&] {
      for (const ProductRun& run : of.runs) {
        if (run.operand >= 0) continue;
        if (r.mask == nullptr) {
          product.backward(of.slot(gates, run.slot), of.slots, run.gate, run.count, r.dh_state,
                           1.0);
          continue;
        }
        for (int g = 0; g < run.count; ++g) {
          product.backward(of.slot(gates, run.slot + g), of.slots, run.gate + g, 1,
                           at(args.memory.d_masked, (run.gate + g) * of.batch * of.hidden, of.wide),
                           0.0);
        }
      }
      if (r.mask == nullptr || of.runs.count == 0) return;
      unmask_gradient(queue, {of.type, of.spec.gates_from_h(), step.rows, of.batch, of.hidden,
                              r.mask, args.memory.d_masked, r.dh_state});
    };
    const CellStepBackwardArgs cell{
        .cell = r.shape.cell,
        .type = of.type,
        .rows = step.rows,
        .batch = of.batch,
        .hidden_size = of.hidden,
        .gates = gates,
        .h_previous = at(r.h, step.before * r.ldh, of.type),
        .ldh = r.ldh,
        .c_previous = r.c == nullptr ? nullptr : at(r.c, step.before * of.hidden, of.type),
        .previous_rows = step.continued,
        .h_initial = r.h_initial,
        .c_initial = r.c_initial,
        .c = r.c == nullptr ? nullptr : at(r.c, step.begin * of.hidden, of.type),
        .dy = r.dy == nullptr ? nullptr : at(r.dy, step.begin * r.lddy, of.type),
        .lddy = r.lddy,
        .dh_state = r.dh_state,
        .dc_state = r.dc_state,
        .mask = r.mask,
        .dq = args.memory.d_operand,
        .unit_weights = r.unit_weights,
        .draws = r.draws,
        .step = step.number,
        .order = r.sequences.order};
    if (of.spec.two_phases()) {
      cell_step_backward(queue, cell, CellPhase::output);
      double beta = 0.0;
      for (const ProductRun& run : of.runs) {
        if (run.operand < 0) continue;
        product.backward(of.slot(gates, run.slot), of.slots, run.gate, run.count,
                         args.memory.d_operand, beta);
        beta = 1.0;
      }
      cell_step_backward(queue, cell, CellPhase::operand);
    } else {
      cell_step_backward(queue, cell);
    }
    through_weights();
  });
}

}  // namespace

void StepwiseLoop::take(Carver& carver, LoopMemory& memory) const {
  const RecurrentConfig& config = request_.config;
  const CellSpec& spec = spec_of(config.cell);
  const DataType type = config.data_type;
  const std::int64_t plane = request_.batch * config.hidden_size;
  const auto states = [&](int count, DataType of) {
    return carver.take(static_cast<std::size_t>(count * plane) * size_of(of));
  };
  const bool masks = request_.masks() && spec.recurrent_matrix;
  if (!backward()) {
    if (masks || (is_16_bit(type) && spec.recurrent_matrix)) {
      memory.h_operand = states(masks ? spec.gates : 1, type);
    }
    return;
  }
  if (masks) memory.d_masked = states(spec.gates, state_type(type));
  if (spec.two_phases()) memory.d_operand = states(1, state_type(type));
}

void StepwiseLoop::run(const Queue& queue, std::span<const LoopForwardArgs> directions) const {
  for (const LoopForwardArgs& each : directions) forward(queue, each);
}

void StepwiseLoop::run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const {
  for (const LoopBackwardArgs& each : directions) sluice::backward(queue, each);
}

}  // namespace sluice
