// Long short-term memory whose input gate is also what it does not forget (Greff et al. 2017, CIFG;
// ONNX's input_forget).
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// Slots: i, g, o.
///   i, o = sigmoid(pre), g = tanh(pre), c = (1 - i) c_prev + i g, h = o tanh(c)
struct LstmCoupledCell {
  static constexpr CellSpec spec = {.name = "lstm_coupled",
                                    .gates = 3,
                                    .slots = 3,
                                    .states = 2,
                                    .slot = {{{.recurrent = 0, .bias = SlotBias::both},
                                              {.recurrent = 1, .bias = SlotBias::both},
                                              {.recurrent = 2, .bias = SlotBias::both}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<LstmCoupledCell, T>& u) {
    u.slot[0] = sigmoid(u.slot[0]);
    u.slot[1] = hyperbolic_tangent(u.slot[1]);
    u.slot[2] = sigmoid(u.slot[2]);
    restate(u);
    u.state[0] = u.slot[2] * hyperbolic_tangent(u.state[1]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void restate(Unit<LstmCoupledCell, T>& u) {
    u.state[1] = u.previous[1] + u.slot[0] * (u.slot[1] - u.previous[1]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<LstmCoupledCell, T>& u) {
    const T i = u.slot[0], g = u.slot[1], o = u.slot[2];
    const T tanh_c = hyperbolic_tangent(u.state[1]), dh = u.d_state[0];
    const T dc = u.d_state[1] + dh * o * tanh_slope(tanh_c);
    u.slot[0] = dc * (g - u.previous[1]) * sigmoid_slope(i);
    u.slot[1] = dc * i * tanh_slope(g);
    u.slot[2] = dh * tanh_c * sigmoid_slope(o);
    u.d_state[1] = dc * (T(1) - i);
    u.d_state[0] = T(0);
  }
};

}  // namespace sluice
