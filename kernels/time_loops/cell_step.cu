// The element-wise half of one time step: one thread a unit of a row.
#include "kernels/time_loops/cell_step.h"

#include "kernels/time_loops/cell_step_options.h"
#include "kernels/time_loops/cell_step_unit.h"

namespace sluice::cuda {
namespace {

using namespace cell_steps;

/// A step, or of two phases the last one.
template <class C, class T, class Options>
__device__ __forceinline__ void step_forward(const Forward<T>& step, const Options& options) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * C::spec.slots * H + unit;
    Unit<C, Wide<T>> u;
    constexpr Slots own = half_of(C::spec, false);
    load_slots<C::spec.two_phases() ? ~0u : sums_of(C::spec)>(gates, H, u);
    add_bias<own & biased_of(C::spec)>(step.bias, H, unit, u);
    u.previous[0] = step.h_state[at];
    if constexpr (C::spec.has_cell_state()) u.previous[1] = step.c_state[at];
    load_unit_weights<Options>(step, at, unit, u);
    options.forward(u, row, unit);
    if constexpr (C::spec.has_cell_state()) {
      step.c_state[at] = u.state[1];
      if (step.c != nullptr) step.c[at] = narrow<T>(u.state[1]);
    }
    store_slots<own>(u, H, gates);
    store_h<C, Options>(step, row, unit, u.state[0]);
  });
}

template <class C, bool masked, class T>
__global__ void __launch_bounds__(256) forward_kernel(Forward<T> step) {
  step_forward<C>(step, MaskAlone<masked>());
}
template <class C, class T>
__global__ void __launch_bounds__(256) forward_options_kernel(Forward<T> step, AllOptions options) {
  step_forward<C>(step, options);
}

/// Of two phases the first one.
template <class C, bool masked, class T>
__global__ void __launch_bounds__(256) forward_operand_kernel(Forward<T> step) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * C::spec.slots * H + unit;
    Unit<C, Wide<T>> u;
    constexpr Slots own = half_of(C::spec, true);
    load_slots<own & sums_of(C::spec)>(gates, H, u);
    add_bias<own & biased_of(C::spec)>(step.bias, H, unit, u);
    const Wide<T> m = mask_of_gate<MaskAlone<masked>>(step, step.mask, C::spec.gates_from_h(), at);
    C::forward_operand(u, m * step.h_state[at]);
    store_slots<own>(u, H, gates);
  });
}

/// A step, or of two phases the one after whose product the operand's comes.
template <class C, class T, class Options>
__device__ __forceinline__ void step_backward(const Backward<T>& step, const Options& options) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * C::spec.slots * H + unit;
    Unit<C, Wide<T>> u;
    load_slots<~0u>(gates, H, u);
    // The whole gradient by h: from later steps and from the layer's output.
    const Wide<T> later = step.dh_state[at];
    u.d_state[0] = step.dy == nullptr ? later : later + widen(step.dy[row * step.lddy + unit]);
    load_previous(step, row, unit, u);
    if constexpr (C::spec.has_cell_state()) {
      u.d_state[1] = step.dc_state[at];
      u.state[1] = widen(step.c[at]);
    }
    load_unit_weights<Options>(step, at, unit, u);
    options.backward(u, row, unit);
    if constexpr (C::spec.has_cell_state()) step.dc_state[at] = u.d_state[1];
    store_slots<sums_of(C::spec)>(u, H, gates);
    step.dh_state[at] = u.d_state[0];
  });
}

template <class C, class T>
__global__ void __launch_bounds__(256) backward_kernel(Backward<T> step) {
  step_backward<C>(step, MaskAlone<false>());
}
template <class C, class T>
__global__ void __launch_bounds__(256)
    backward_options_kernel(Backward<T> step, AllOptions options) {
  step_backward<C>(step, options);
}

/// Of two phases the operand's: the first gates' gradients, and that by h_prev through the operand.
template <class C, bool masked, class T>
__global__ void __launch_bounds__(256, 8) backward_operand_kernel(Backward<T> step) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * C::spec.slots * H + unit;
    Unit<C, Wide<T>> u;
    load_previous(step, row, unit, u);
    const Wide<T> m = mask_of_gate<MaskAlone<masked>>(step, step.mask, C::spec.gates_from_h(), at);
    load_slots<sums_of(C::spec) & half_of(C::spec, true)>(gates, H, u);
    Wide<T> dh_masked;
    C::backward_operand(u, m * u.previous[0], step.dq[at], dh_masked);
    store_slots<sums_of(C::spec) & half_of(C::spec, true)>(u, H, gates);
    step.dh_state[at] += m * dh_masked;
  });
}

/// Blocks of 256 threads: as many units wide as H needs, then rows.
LaunchConfig launch_config(const Queue& queue, std::int64_t rows, std::int64_t hidden_size) {
  constexpr std::int64_t threads = 256, warp = 32, most_row_blocks = 4096;
  std::int64_t width = warp;
  while (width < hidden_size && width < threads) width *= 2;
  const std::int64_t height = threads / width;
  const std::int64_t across = (hidden_size + width - 1) / width;
  return {.grid = {static_cast<unsigned>(across),
                   at_most(most_row_blocks, (rows + height - 1) / height)},
          .block = {static_cast<unsigned>(width), static_cast<unsigned>(height)},
          .stream = queue.stream};
}

}  // namespace

void cell_step_forward(const Queue& queue, const CellStepForwardArgs& args, CellPhase phase) {
  const LaunchConfig config = launch_config(queue, args.rows, args.hidden_size);
  const bool masked = args.mask != nullptr;
  with_number(args.type, [&]<class T>(T) {
    const Forward<T> step(args);
    with_cell(args.cell, [&]<class C>(C) {
      if constexpr (C::spec.two_phases()) {
        if (phase == CellPhase::operand) {
          return launch(
              masked ? forward_operand_kernel<C, true, T> : forward_operand_kernel<C, false, T>,
              config, step);
        }
      }
      if (!masked && !args.draws.wrap()) {
        return launch(forward_kernel<C, false, T>, config, step);
      }
      if constexpr (has_masked<C>) {
        if (!args.draws.wrap()) return launch(forward_kernel<C, true, T>, config, step);
      }
      launch(forward_options_kernel<C, T>, config, step, AllOptions(args));
    });
  });
}

void cell_step_backward(const Queue& queue, const CellStepBackwardArgs& args, CellPhase phase) {
  const LaunchConfig config = launch_config(queue, args.rows, args.hidden_size);
  const bool masked = args.mask != nullptr;
  with_number(args.type, [&]<class T>(T) {
    const Backward<T> step(args);
    with_cell(args.cell, [&]<class C>(C) {
      if constexpr (C::spec.two_phases()) {
        if (phase == CellPhase::operand) {
          return launch(
              masked ? backward_operand_kernel<C, true, T> : backward_operand_kernel<C, false, T>,
              config, step);
        }
      }
      // A matrix's mask has its part in the products.
      if (!args.draws.wrap() && (!masked || C::spec.recurrent_matrix)) {
        return launch(backward_kernel<C, T>, config, step);
      }
      launch(backward_options_kernel<C, T>, config, step, AllOptions(args));
    });
  });
}

}  // namespace sluice::cuda
