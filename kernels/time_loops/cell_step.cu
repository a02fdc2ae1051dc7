// The element-wise half of one time step: one thread a unit of a row.
#include "kernels/time_loops/cell_step.h"

#include "kernels/base/number.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

/// The arguments of cell_step.h with their number types; the same names and shapes.
template <class T>
struct Forward {
  std::int64_t rows, batch, hidden_size, ldh;
  T* gates;
  const Wide<T>* bias;
  Wide<T>* h_state;
  Wide<T>* c_state;
  T* c;
  T* h;
  const T* mask;
  T* h_operand;
  const T* unit_weights;

  explicit Forward(const CellStepForwardArgs& args)
      : rows(args.rows),
        batch(args.batch),
        hidden_size(args.hidden_size),
        ldh(args.ldh),
        gates(static_cast<T*>(args.gates)),
        bias(static_cast<const Wide<T>*>(args.bias)),
        h_state(static_cast<Wide<T>*>(args.h_state)),
        c_state(static_cast<Wide<T>*>(args.c_state)),
        c(static_cast<T*>(args.c)),
        h(static_cast<T*>(args.h)),
        mask(static_cast<const T*>(args.mask)),
        h_operand(static_cast<T*>(args.h_operand)),
        unit_weights(static_cast<const T*>(args.unit_weights)) {}
};

template <class T>
struct Backward {
  std::int64_t rows, batch, hidden_size, ldh, previous_rows, lddy;
  T* gates;
  const T* h_previous;
  const T* c_previous;
  const Wide<T>* h_initial;
  const Wide<T>* c_initial;
  const T* c;
  const T* dy;
  Wide<T>* dh_state;
  Wide<T>* dc_state;
  const T* mask;
  const Wide<T>* dq;
  const T* unit_weights;

  explicit Backward(const CellStepBackwardArgs& args)
      : rows(args.rows),
        batch(args.batch),
        hidden_size(args.hidden_size),
        ldh(args.ldh),
        previous_rows(args.previous_rows),
        lddy(args.lddy),
        gates(static_cast<T*>(args.gates)),
        h_previous(static_cast<const T*>(args.h_previous)),
        c_previous(static_cast<const T*>(args.c_previous)),
        h_initial(static_cast<const Wide<T>*>(args.h_initial)),
        c_initial(static_cast<const Wide<T>*>(args.c_initial)),
        c(static_cast<const T*>(args.c)),
        dy(static_cast<const T*>(args.dy)),
        dh_state(static_cast<Wide<T>*>(args.dh_state)),
        dc_state(static_cast<Wide<T>*>(args.dc_state)),
        mask(static_cast<const T*>(args.mask)),
        dq(static_cast<const Wide<T>*>(args.dq)),
        unit_weights(static_cast<const T*>(args.unit_weights)) {}
};

/// What is done to the units beside the cell's equations. Those of a step whose kernel is compiled
/// with or without a mask:
template <bool masked>
struct MaskAlone {
  __device__ __forceinline__ static constexpr bool has_mask(const void*) { return masked; }
  template <class C, class T>
  __device__ __forceinline__ void forward(Unit<C, T>& u, std::int64_t, std::int64_t) const {
    C::forward(u);
  }
  template <class C, class T>
  __device__ __forceinline__ void backward(Unit<C, T>& u, std::int64_t, std::int64_t) const {
    C::backward(u);
  }
};

/// Whether there are kernels without options, and those with a mask alone: float64 is for checks.
template <class T>
constexpr bool has_plain = !std::is_same_v<T, double>;
template <class C, class T>
constexpr bool has_masked = has_plain<T>&& C::spec.much_used;

/// All that there may be, and is looked for at run time: a mask, and what wraps a cell.
struct AllOptions {
  UnitDraws draws;
  std::uint32_t step;
  const std::int32_t* order;

  template <class Args>
  explicit AllOptions(const Args& args)
      : draws(args.draws), step(static_cast<std::uint32_t>(args.step)), order(args.order) {}

  __device__ __forceinline__ static bool has_mask(const void* mask) { return mask != nullptr; }
  template <class C, class T>
  __device__ __forceinline__ void forward(Unit<C, T>& u, std::int64_t row,
                                          std::int64_t unit) const {
    C::forward(u);
    if (!wraps<C, T>()) return;
    T drawn[Wrapped<C>::numbers];
    draw(row, unit, drawn);
    Wrapped<C>::after_forward(u, drawn);
  }
  template <class C, class T>
  __device__ __forceinline__ void backward(Unit<C, T>& u, std::int64_t row,
                                           std::int64_t unit) const {
    T kept[Wrapped<C>::kept_numbers] = {};
    if (wraps<C, T>()) {
      T drawn[Wrapped<C>::numbers];
      draw(row, unit, drawn);
      Wrapped<C>::before_backward(u, drawn, kept);
    }
    C::backward(u);
    if (wraps<C, T>()) Wrapped<C>::after_backward(u, kept);
  }

 private:
  /// Where all others have kernels of their own, it does.
  template <class C, class T>
  __device__ __forceinline__ bool wraps() const {
    return has_masked<C, T> || draws.wrap();
  }
  template <class T, int numbers>
  __device__ __forceinline__ void draw(std::int64_t row, std::int64_t unit,
                                       T (&drawn)[numbers]) const {
    const auto given = static_cast<std::uint32_t>(order == nullptr ? row : order[row]);
    for_each_index<numbers>([&](auto i) {
      drawn[i] = draws.template number<T>(i, step, given, static_cast<std::uint32_t>(unit));
    });
  }
};

/// Sets of slots, a bit each: loops over slots are unrolled late, as the compiler does best.
using Slots = unsigned;
constexpr bool has(Slots slots, int slot) { return (slots >> slot & 1) != 0; }

/// Those of which `belongs(slot)` holds.
template <class Belongs>
constexpr Slots slots_where(const CellSpec& spec, Belongs belongs) {
  Slots slots = 0;
  for (int s = 0; s < spec.slots; ++s) {
    if (belongs(s)) slots |= 1u << s;
  }
  return slots;
}
/// Those in which anything is added up: the others are the equations' own.
constexpr Slots sums_of(const CellSpec& spec) {
  return slots_where(spec, [&](int s) { return spec.holds_sum(s); });
}
/// Those that one half of a step fills; a cell of one phase has but one half, not the operand's.
constexpr Slots half_of(const CellSpec& spec, bool operand) {
  return slots_where(
      spec, [&](int s) { return (spec.enters_operand(s) || s == spec.operand_slot()) == operand; });
}
constexpr Slots biased_of(const CellSpec& spec) {
  return slots_where(spec, [&](int s) { return spec.slot[s].bias != SlotBias::none; });
}

/// Calls body(row, unit) once for each element of [rows, hidden_size]; neighbouring threads take
/// neighbouring units, so that every access is coalesced. The grid is as wide as H needs.
template <class Body>
__device__ __forceinline__ void for_each_unit(std::int64_t rows, std::int64_t hidden_size,
                                              Body body) {
  const std::int64_t unit = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (unit >= hidden_size) return;
#pragma unroll 1  // one turn is the rule; more in flight only cost registers
  for (std::int64_t row = std::int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < rows;
       row += std::int64_t{gridDim.y} * blockDim.y) {
    body(row, unit);
  }
}

template <Slots slots, class C, class T>
__device__ __forceinline__ void load_slots(const T* gates, std::int64_t hidden_size,
                                           Unit<C, Wide<T>>& u) {
#pragma unroll
  for (int s = 0; s < C::spec.slots; ++s) {
    if (has(slots, s)) u.slot[s] = widen(gates[s * hidden_size]);
  }
}

template <Slots slots, class C, class T>
__device__ __forceinline__ void store_slots(const Unit<C, Wide<T>>& u, std::int64_t hidden_size,
                                            T* gates) {
#pragma unroll
  for (int s = 0; s < C::spec.slots; ++s) {
    if (has(slots, s)) gates[s * hidden_size] = narrow<T>(u.slot[s]);
  }
}

template <Slots slots, class C, class T>
__device__ __forceinline__ void add_bias(const T* bias, std::int64_t hidden_size, std::int64_t unit,
                                         Unit<C, T>& u) {
  if (bias == nullptr) return;
#pragma unroll
  for (int s = 0; s < C::spec.slots; ++s) {
    if (has(slots, s)) u.slot[s] += bias[s * hidden_size + unit];
  }
}

/// The mask's factor for gate `gate` of element `at` of [B, H]; 1 without one.
template <class Options, class T, class Step>
__device__ __forceinline__ Wide<T> mask_of_gate(const Step& step, const T* mask, int gate,
                                                std::int64_t at) {
  return Options::has_mask(mask) ? widen(mask[gate * step.batch * step.hidden_size + at])
                                 : Wide<T>(1);
}

/// A diagonal R is masked itself, as h is that enters a matrix.
template <class Options, class Step, class C, class T>
__device__ __forceinline__ void load_unit_weights(const Step& step, std::int64_t at,
                                                  std::int64_t unit, Unit<C, T>& u) {
  for_each_index<C::spec.unit_weights>([&](auto w) {
    u.weight[w] = widen(step.unit_weights[w * step.hidden_size + unit]);
    if constexpr (!C::spec.recurrent_matrix) {
      u.weight[w] *= mask_of_gate<Options>(step, step.mask, C::spec.unit_weight[w].slot, at);
    }
  });
}

/// Writes the new h of one unit wherever it is wanted.
template <class C, class Options, class T>
__device__ __forceinline__ void store_h(const Forward<T>& step, std::int64_t row, std::int64_t unit,
                                        Wide<T> h) {
  const std::int64_t at = row * step.hidden_size + unit;
  step.h_state[at] = h;
  if (step.h != nullptr) step.h[row * step.ldh + unit] = narrow<T>(h);
  if constexpr (C::spec.recurrent_matrix) {
    if (Options::has_mask(step.mask)) {
      const std::int64_t plane = step.batch * step.hidden_size;
#pragma unroll
      for (int g = 0; g < C::spec.gates; ++g) {
        step.h_operand[g * plane + at] = narrow<T>(widen(step.mask[g * plane + at]) * h);
      }
    } else if constexpr (sizeof(T) == 2) {
      if (step.h_operand != nullptr) step.h_operand[at] = narrow<T>(h);
    }
  }
}

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

/// The state before this step: the step before's, or the initial one for rows that begin here.
template <class T>
__device__ __forceinline__ Wide<T> previous_state(const T* previous, std::int64_t ld,
                                                  const Wide<T>* initial, std::int64_t hidden_size,
                                                  std::int64_t previous_rows, std::int64_t row,
                                                  std::int64_t unit) {
  return row < previous_rows ? widen(previous[row * ld + unit]) : initial[row * hidden_size + unit];
}

template <class C, class T>
__device__ __forceinline__ void load_previous(const Backward<T>& step, std::int64_t row,
                                              std::int64_t unit, Unit<C, Wide<T>>& u) {
  if constexpr (C::spec.reads_previous_h) {
    u.previous[0] = previous_state(step.h_previous, step.ldh, step.h_initial, step.hidden_size,
                                   step.previous_rows, row, unit);
  }
  if constexpr (C::spec.has_cell_state()) {
    u.previous[1] = previous_state(step.c_previous, step.hidden_size, step.c_initial,
                                   step.hidden_size, step.previous_rows, row, unit);
  }
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
      if constexpr (has_plain<T>) {
        if (!masked && !args.draws.wrap()) {
          return launch(forward_kernel<C, false, T>, config, step);
        }
      }
      if constexpr (has_masked<C, T>) {
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
      if constexpr (has_plain<T>) {
        if (!args.draws.wrap() && (!masked || C::spec.recurrent_matrix)) {
          return launch(backward_kernel<C, T>, config, step);
        }
      }
      launch(backward_options_kernel<C, T>, config, step, AllOptions(args));
    });
  });
}

}  // namespace sluice::cuda
