// Which of a recurrent layer's two biases each slot of the gates buffer gets.
#pragma once

#include <cstdint>

#include "kernels/base/number.h"
#include "kernels/cells/list.h"

namespace sluice {

/// For each slot, four bits each, the gate whose bW and the gate whose bR is added to it; `none`
/// for none.
struct BiasSlots {
  static constexpr std::uint32_t none = 15;
  std::uint32_t input_gates = 0, recurrent_gates = 0;

  SLUICE_HOST_DEVICE static std::uint32_t gate(std::uint32_t gates, std::int64_t slot) {
    return gates >> (4 * slot) & 15;
  }
};

constexpr BiasSlots bias_slots(const CellSpec& spec) {
  BiasSlots slots;
  for (int s = 0; s < spec.slots; ++s) {
    const CellSlot& slot = spec.slot[s];
    const bool both = slot.bias == SlotBias::both;
    const auto own = static_cast<std::uint32_t>(s);
    const auto product = slot.recurrent >= 0 ? static_cast<std::uint32_t>(slot.recurrent) : own;
    slots.input_gates |= (both || slot.bias == SlotBias::input ? own : slots.none) << (4 * s);
    slots.recurrent_gates |= (both || slot.bias == SlotBias::recurrent ? product : slots.none)
                             << (4 * s);
  }
  return slots;
}

/// Entry `index` of the [S*H] bias that combine_biases writes.
template <class T>
SLUICE_HOST_DEVICE Wide<T> combined_bias(const BiasSlots& slots, std::int64_t hidden_size,
                                         const T* bias_ih, const T* bias_hh, std::int64_t index) {
  const std::int64_t slot = index / hidden_size, unit = index - slot * hidden_size;
  const std::int64_t input = slots.gate(slots.input_gates, slot);
  const std::int64_t recurrent = slots.gate(slots.recurrent_gates, slot);
  if (input == slots.none && recurrent == slots.none) return Wide<T>(0);
  if (recurrent == slots.none) return widen(bias_ih[input * hidden_size + unit]);
  if (input == slots.none) return widen(bias_hh[recurrent * hidden_size + unit]);
  return widen(bias_ih[input * hidden_size + unit]) +
         widen(bias_hh[recurrent * hidden_size + unit]);
}

}  // namespace sluice
