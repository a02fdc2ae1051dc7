// Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// Slots: i, f, g, o.
///   i, f, o = sigmoid(pre), g = tanh(pre), c = f c_prev + i g, h = o tanh(c)
struct LstmCell {
  static constexpr CellSpec spec = {.name = "lstm",
                                    .gates = 4,
                                    .slots = 4,
                                    .states = 2,
                                    .much_used = true,
                                    .forget_gate = 1,
                                    .slot = {{{.recurrent = 0, .bias = SlotBias::both},
                                              {.recurrent = 1, .bias = SlotBias::both},
                                              {.recurrent = 2, .bias = SlotBias::both},
                                              {.recurrent = 3, .bias = SlotBias::both}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<LstmCell, T>& u) {
    forward(u.slot, u.previous[1], u.state[1], u.state[0]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void restate(Unit<LstmCell, T>& u) {
    u.state[1] = u.slot[1] * u.previous[1] + u.slot[0] * u.slot[2];
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<LstmCell, T>& u) {
    backward(u.slot, u.previous[1], u.state[1], u.d_state[0], u.d_state[1]);
    u.d_state[0] = T(0);
  }

  static constexpr int gates = 4;
  static constexpr int slots = 4;

  /// `gate`: pre-activations in, activated gates out.
  template <class T>
  SLUICE_HOST_DEVICE static void forward(T gate[4], T c_prev, T& c, T& h) {
    gate[0] = sigmoid(gate[0]);
    gate[1] = sigmoid(gate[1]);
    gate[2] = hyperbolic_tangent(gate[2]);
    gate[3] = sigmoid(gate[3]);
    c = gate[1] * c_prev + gate[0] * gate[2];
    h = gate[3] * hyperbolic_tangent(c);
  }

  /// `gate`: activated gates in, gradients by the pre-activations out.
  /// `dc`: gradient by c from later steps in, gradient by c_prev out.
  template <class T>
  SLUICE_HOST_DEVICE static void backward(T gate[4], T c_prev, T c, T dh, T& dc) {
    const T i = gate[0], f = gate[1], g = gate[2], o = gate[3];
    const T tanh_c = hyperbolic_tangent(c);
    const T dc_total = dc + dh * o * tanh_slope(tanh_c);
    gate[0] = dc_total * g * sigmoid_slope(i);
    gate[1] = dc_total * c_prev * sigmoid_slope(f);
    gate[2] = dc_total * i * tanh_slope(g);
    gate[3] = dh * tanh_c * sigmoid_slope(o);
    dc = dc_total * f;
  }
};

}  // namespace sluice
