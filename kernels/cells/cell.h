// What a cell is: a description, and its equations for one unit of one row.
//
// A cell is a type with a `spec` and two functions over Unit<Cell, T>, where T is float in a CUDA
// thread, a SIMD pack on the CPU, and double in gradient checks. A header each in this folder, and
// one line each in kernels/cells/list.h: nothing outside its header knows a cell's gates. Unit
// options (kernels/cells/unit_options.h) wrap any cell.
//
// Public API.
#pragma once

#include <array>
#include <concepts>
#include <utility>

#include "kernels/base/host_device.h"

namespace sluice {

/// Which of a layer's two biases is added to a slot.
enum class SlotBias { none, input, recurrent, both };

/// What is added up in one slot of the gates buffer before the cell's equations. x W^T of gate g
/// lands in slot g: the first G slots are the gates in the order of the weights.
struct CellSlot {
  int recurrent = -1;  ///< gate whose rows of R are multiplied into it; -1: none
  int operand = -1;    ///< slot that those rows multiply; -1: h of the step before
  SlotBias bias = SlotBias::none;

  constexpr bool operator==(const CellSlot&) const = default;
};

/// A weight of each unit alone, beside the matrices. Its gradient is the sum over all rows and
/// steps of the gradient in slot `slot` times one factor.
struct UnitWeight {
  int slot = 0;
  int previous_state = -1;  ///< the factor: a state (0 h, 1 c) of the step before,
  int factor_slot = -1;     ///< or what forward left in a slot, which backward must leave alone

  constexpr bool operator==(const UnitWeight&) const = default;
};

/// Everything that is known of a cell outside its header.
struct CellSpec {
  const char* name = "";  ///< in files and on command lines
  int gates = 0;          ///< G: blocks of H rows in weight_ih, and in weight_hh if there is one
  int slots = 0;          ///< S >= G: blocks of H numbers that a row of the gates buffer holds
  int states = 1;         ///< 1: h; 2: h and c
  int unit_weights = 0;   ///< P
  /// Whether h enters by a matrix R [G*H, H]. If not, no slot has a recurrent product, and what
  /// recurs is unit by unit, by the unit weights (a diagonal R).
  bool recurrent_matrix = true;
  bool reads_previous_h = false;      ///< in backward; forward has it always
  bool much_used = false;             ///< worth more compiled GPU kernels: persistent/geometry.h
  int forget_gate = -1;               ///< the gate whose bias begins at 1; -1: none
  const char* unit_weight_name = "";  ///< of the parameter [P*H], without the suffix _l0
  std::array<CellSlot, 5> slot = {};
  std::array<UnitWeight, 3> unit_weight = {};

  /// Whether a slot, not h, enters the product of some gates: the step then has two halves, first
  /// forward_operand(), which fills that slot from the gates before, then forward().
  constexpr bool two_phases() const {
    for (int s = 0; s < slots; ++s) {
      if (slot[s].operand >= 0) return true;
    }
    return false;
  }
  /// Gates whose product is with h, the first ones; the others' is with the operand slot.
  constexpr int gates_from_h() const {
    int count = 0;
    for (int s = 0; s < slots; ++s) count += slot[s].recurrent >= 0 && slot[s].operand < 0;
    return count;
  }
  /// The slot that the product of gate g lands in, and that holds its gradient after backward.
  constexpr int slot_of_gate(int gate) const {
    for (int s = 0; s < slots; ++s) {
      if (slot[s].recurrent == gate) return s;
    }
    return -1;
  }
  /// The slot that enters the product of the last gates; -1 in a cell of one phase.
  constexpr int operand_slot() const {
    for (int s = 0; s < slots; ++s) {
      if (slot[s].operand >= 0) return slot[s].operand;
    }
    return -1;
  }
  /// Whether something is added up in slot s before the cell's equations.
  constexpr bool holds_sum(int s) const { return s < gates || slot[s].recurrent >= 0; }
  /// Whether slot s is one of the first phase: its sum enters forward_operand(), and its gradient
  /// comes out of backward_operand(). Of no slot in a cell of one phase.
  constexpr bool enters_operand(int s) const {
    return two_phases() && slot[s].recurrent >= 0 && slot[s].operand < 0;
  }
  constexpr bool has_cell_state() const { return states > 1; }
};

/// Whether two cells differ in their equations alone, so that one kernel can hold both.
constexpr bool alike(const CellSpec& a, const CellSpec& b) {
  return a.gates == b.gates && a.slots == b.slots && a.states == b.states &&
         a.unit_weights == b.unit_weights && a.recurrent_matrix == b.recurrent_matrix &&
         a.reads_previous_h == b.reads_previous_h && a.much_used == b.much_used &&
         a.slot == b.slot && a.unit_weight == b.unit_weight;
}

/// Gates [gate, gate + count) whose products land in slots from `slot` on: one product of matrices.
/// It is added to x W^T where slot < G, for all of the run alike, and is alone elsewhere.
struct ProductRun {
  int gate = 0, slot = 0, count = 0;
  int operand = -1;  ///< as in CellSlot
};
/// All of a cell, gates in order; `count` of them.
struct ProductRuns {
  std::array<ProductRun, 5> run = {};
  int count = 0;

  constexpr const ProductRun* begin() const { return run.data(); }
  constexpr const ProductRun* end() const { return run.data() + count; }
};
constexpr ProductRuns product_runs(const CellSpec& spec) {
  ProductRuns runs;
  if (!spec.recurrent_matrix) return runs;
  for (int gate = 0; gate < spec.gates; ++gate) {
    const int slot = spec.slot_of_gate(gate), operand = spec.slot[slot].operand;
    ProductRun* const last = runs.count == 0 ? nullptr : &runs.run[runs.count - 1];
    if (last != nullptr && last->slot + last->count == slot && last->operand == operand &&
        slot != spec.gates) {
      ++last->count;
    } else {
      runs.run[runs.count++] = {gate, slot, 1, operand};
    }
  }
  return runs;
}

/// One unit of one row at one step.
template <class C, class T>
struct Unit {
  static constexpr int slots = C::spec.slots, states = C::spec.states;
  static constexpr int weights = C::spec.unit_weights > 0 ? C::spec.unit_weights : 1;

  /// Forward: what was added up in each slot in, what backward needs out. Backward: that in,
  /// gradients by what was added up out.
  T slot[slots];
  T previous[states];  ///< h, c of the step before, in; h in backward only if reads_previous_h
  T state[states];     ///< h, c of this step: forward out; backward in, c alone
  /// Backward: the whole gradient by h, and that by c from later steps, in; those by h and c of the
  /// step before out, without what passes through R.
  T d_state[states];
  T weight[weights];  ///< in
};

/// Calls use(std::integral_constant<int, i>()) for i = 0 ... count - 1.
template <int count, class Use>
SLUICE_HOST_DEVICE constexpr void for_each_index(Use&& use) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (use(std::integral_constant<int, i>()), ...); }
  (std::make_integer_sequence<int, count>());
}

/// What keeps a description from being one; "" if nothing does.
constexpr const char* fault_of(const CellSpec& spec) {
  if (spec.name[0] == '\0') return "name: expected one";
  if (spec.gates < 1 || spec.slots < spec.gates ||
      spec.slots > static_cast<int>(spec.slot.size())) {
    return "slots: expected at least one for each gate, and at most 5";
  }
  if (spec.states < 1 || spec.states > 2) return "states: expected 1 or 2";
  if (spec.unit_weights < 0 || spec.unit_weights > static_cast<int>(spec.unit_weight.size())) {
    return "unit_weights: expected 0 to 3";
  }
  if (spec.forget_gate >= spec.gates) return "forget_gate: expected a gate";
  for (int gate = 0; gate < spec.gates; ++gate) {
    if (spec.recurrent_matrix != (spec.slot_of_gate(gate) >= 0)) {
      return "slot.recurrent: expected each gate in one slot with a matrix, and none without";
    }
  }
  for (int gate = 0; gate < spec.gates; ++gate) {
    int input = 0, recurrent = 0;  // slots that take the gate's biases
    for (int s = 0; s < spec.slots; ++s) {
      const CellSlot& slot = spec.slot[s];
      const bool both = slot.bias == SlotBias::both;
      input += s == gate && (both || slot.bias == SlotBias::input);
      recurrent += (slot.recurrent >= 0 ? slot.recurrent : s) == gate &&
                   (both || slot.bias == SlotBias::recurrent);
    }
    if (input != 1 || recurrent != 1) {
      return "slot.bias: expected each gate's two biases in one slot each";
    }
  }
  for (int s = spec.gates; s < spec.slots; ++s) {
    const CellSlot& slot = spec.slot[s];
    if (slot.bias != SlotBias::none && !(slot.bias == SlotBias::recurrent && slot.recurrent >= 0)) {
      return "slot.bias: expected none of a slot after all gates but its product's";
    }
  }
  if (!spec.recurrent_matrix && spec.unit_weights == 0) return "unit_weights: expected what recurs";
  const int from_h = spec.gates_from_h();
  for (int s = 0; s < spec.slots; ++s) {
    if (spec.slot[s].operand >= 0 &&
        (spec.slot[s].recurrent < from_h || spec.slot[s].operand < spec.gates)) {
      return "slot.operand: expected of the last gates, and a slot after all gates";
    }
  }
  for (int w = 0; w < spec.unit_weights; ++w) {
    if ((spec.unit_weight[w].previous_state < 0) == (spec.unit_weight[w].factor_slot < 0)) {
      return "unit_weight: expected one factor";
    }
  }
  return "";
}

/// If it is not, fault_of() says why.
constexpr bool is_sound(const CellSpec& spec) { return fault_of(spec)[0] == '\0'; }

/// A cell of one phase: forward(unit), backward(unit). Of two, see CellSpec::two_phases:
///   forward_operand(unit, h_masked)  fills the operand slot; slots of the first gates in and out;
///                                    h_masked: h that enters R, masked by an option
///   backward_operand(unit, h_masked, d_operand, d_h_masked)  the first gates' gradients, from that
///                                    by the operand slot
/// A cell with c also has restate(unit): state[1] as forward left it, from slots and previous.
template <class C>
concept CellEquations = requires(Unit<C, double>& u) {
  C::forward(u);
  C::backward(u);
  requires !C::spec.has_cell_state() || requires { C::restate(u); };
  requires !C::spec.two_phases() || requires(double d) {
    C::forward_operand(u, d);
    C::backward_operand(u, d, d, d);
  };
};
template <class C>
concept CellType = is_sound(C::spec) && CellEquations<C>;

}  // namespace sluice
