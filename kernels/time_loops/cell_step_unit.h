// What a step of kernels/time_loops/cell_step.cu reads and writes of one unit. Only for .cu files.
#pragma once

#include <cstdint>

#include "kernels/base/number.h"
#include "kernels/device/launch.h"
#include "kernels/time_loops/cell_step.h"

namespace sluice::cuda::cell_steps {

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

}  // namespace sluice::cuda::cell_steps
