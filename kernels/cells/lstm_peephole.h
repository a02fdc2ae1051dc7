// Long short-term memory with peephole connections (Gers & Schmidhuber 2000; what ONNX calls P).
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// Slots: i, f, g, o and c as the gates' equations leave it, which zoneout may then not take over.
/// Weights of a unit: p_i, p_f, p_o, in the order of the gates; ONNX has p_i, p_o, p_f.
///   i, f = sigmoid(pre + p c_prev), g = tanh(pre), c = f c_prev + i g,
///   o = sigmoid(pre + p_o c), h = o tanh(c)
struct LstmPeepholeCell {
  static constexpr CellSpec spec = {.name = "lstm_peephole",
                                    .gates = 4,
                                    .slots = 5,
                                    .states = 2,
                                    .unit_weights = 3,
                                    .forget_gate = 1,
                                    .unit_weight_name = "weight_peephole",
                                    .slot = {{{.recurrent = 0, .bias = SlotBias::both},
                                              {.recurrent = 1, .bias = SlotBias::both},
                                              {.recurrent = 2, .bias = SlotBias::both},
                                              {.recurrent = 3, .bias = SlotBias::both},
                                              {}}},
                                    .unit_weight = {{{.slot = 0, .previous_state = 1},
                                                     {.slot = 1, .previous_state = 1},
                                                     {.slot = 3, .factor_slot = 4}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<LstmPeepholeCell, T>& u) {
    const T c_prev = u.previous[1];
    u.slot[0] = sigmoid(u.slot[0] + u.weight[0] * c_prev);
    u.slot[1] = sigmoid(u.slot[1] + u.weight[1] * c_prev);
    u.slot[2] = hyperbolic_tangent(u.slot[2]);
    const T c = u.slot[1] * c_prev + u.slot[0] * u.slot[2];
    u.slot[3] = sigmoid(u.slot[3] + u.weight[2] * c);
    u.slot[4] = c;
    u.state[1] = c;
    u.state[0] = u.slot[3] * hyperbolic_tangent(c);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void restate(Unit<LstmPeepholeCell, T>& u) {
    u.state[1] = u.slot[4];
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<LstmPeepholeCell, T>& u) {
    const T i = u.slot[0], f = u.slot[1], g = u.slot[2], o = u.slot[3], c_prev = u.previous[1];
    const T tanh_c = hyperbolic_tangent(u.slot[4]), dh = u.d_state[0];
    u.slot[3] = dh * tanh_c * sigmoid_slope(o);
    const T dc = u.d_state[1] + dh * o * tanh_slope(tanh_c) + u.slot[3] * u.weight[2];
    u.slot[0] = dc * g * sigmoid_slope(i);
    u.slot[1] = dc * c_prev * sigmoid_slope(f);
    u.slot[2] = dc * i * tanh_slope(g);
    u.d_state[1] = dc * f + u.slot[0] * u.weight[0] + u.slot[1] * u.weight[1];
    u.d_state[0] = T(0);
  }
};

}  // namespace sluice
