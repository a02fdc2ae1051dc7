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
    u.slot[0] = sigmoid(u.slot[0]);
    u.slot[1] = sigmoid(u.slot[1]);
    u.slot[2] = hyperbolic_tangent(u.slot[2]);
    u.slot[3] = sigmoid(u.slot[3]);
    restate(u);
    u.state[0] = u.slot[3] * hyperbolic_tangent(u.state[1]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void restate(Unit<LstmCell, T>& u) {
    u.state[1] = u.slot[1] * u.previous[1] + u.slot[0] * u.slot[2];
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<LstmCell, T>& u) {
    const T i = u.slot[0], f = u.slot[1], g = u.slot[2], o = u.slot[3];
    const T tanh_c = hyperbolic_tangent(u.state[1]), dh = u.d_state[0];
    const T dc = u.d_state[1] + dh * o * tanh_slope(tanh_c);
    u.slot[0] = dc * g * sigmoid_slope(i);
    u.slot[1] = dc * u.previous[1] * sigmoid_slope(f);
    u.slot[2] = dc * i * tanh_slope(g);
    u.slot[3] = dh * tanh_c * sigmoid_slope(o);
    u.d_state[1] = dc * f;
    u.d_state[0] = T(0);
  }
};

}  // namespace sluice
