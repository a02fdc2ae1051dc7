// Gated recurrent unit (Cho et al. 2014), in both places of the reset gate.
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// Reset after the product (cuDNN, PyTorch). Slots: r, z, n and q = Rn h_prev + bRn.
///   r, z = sigmoid(pre), n = tanh(pre_n + r q), h = (1 - z) n + z h_prev
struct GruCell {
  static constexpr CellSpec spec = {.name = "gru",
                                    .gates = 3,
                                    .slots = 4,
                                    .reads_previous_h = true,
                                    .much_used = true,
                                    .slot = {{{.recurrent = 0, .bias = SlotBias::both},
                                              {.recurrent = 1, .bias = SlotBias::both},
                                              {.bias = SlotBias::input},
                                              {.recurrent = 2, .bias = SlotBias::recurrent}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<GruCell, T>& u) {
    u.slot[0] = sigmoid(u.slot[0]);
    u.slot[1] = sigmoid(u.slot[1]);
    u.slot[2] = hyperbolic_tangent(u.slot[2] + u.slot[0] * u.slot[3]);
    u.state[0] = u.slot[2] + u.slot[1] * (u.previous[0] - u.slot[2]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<GruCell, T>& u) {
    const T r = u.slot[0], z = u.slot[1], n = u.slot[2], q = u.slot[3], dh = u.d_state[0];
    const T dn = dh * (T(1) - z) * tanh_slope(n);
    u.slot[0] = dn * q * sigmoid_slope(r);
    u.slot[1] = dh * (u.previous[0] - n) * sigmoid_slope(z);
    u.slot[2] = dn;
    u.slot[3] = dn * r;
    u.d_state[0] = dh * z;
  }
};

/// Reset before the product. Slots: r, z, n and q = r m h_prev, where m is gate n's mask on what
/// enters R (1 without). Two halves, since n needs q of all units.
///   r, z = sigmoid(pre), n = tanh(Wn x + Rn q + b), h = (1 - z) n + z h_prev
struct GruResetBeforeCell {
  static constexpr CellSpec spec = {
      .name = "gru_reset_before",
      .gates = 3,
      .slots = 4,
      .reads_previous_h = true,
      .slot = {{{.recurrent = 0, .bias = SlotBias::both},
                {.recurrent = 1, .bias = SlotBias::both},
                {.recurrent = 2, .operand = 3, .bias = SlotBias::both},
                {}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward_operand(Unit<GruResetBeforeCell, T>& u, T h_masked) {
    u.slot[0] = sigmoid(u.slot[0]);
    u.slot[1] = sigmoid(u.slot[1]);
    u.slot[3] = u.slot[0] * h_masked;
  }
  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<GruResetBeforeCell, T>& u) {
    u.slot[2] = hyperbolic_tangent(u.slot[2]);
    u.state[0] = u.slot[2] + u.slot[1] * (u.previous[0] - u.slot[2]);
  }
  /// Leaves r, for backward_operand, and q, for the gradient of Rn.
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<GruResetBeforeCell, T>& u) {
    const T z = u.slot[1], n = u.slot[2], dh = u.d_state[0];
    u.slot[1] = dh * (u.previous[0] - n) * sigmoid_slope(z);
    u.slot[2] = dh * (T(1) - z) * tanh_slope(n);
    u.d_state[0] = dh * z;
  }
  /// `d_operand` = Rn^T dn.
  template <class T>
  SLUICE_HOST_DEVICE static void backward_operand(Unit<GruResetBeforeCell, T>& u, T h_masked,
                                                  T d_operand, T& d_h_masked) {
    const T r = u.slot[0];
    u.slot[0] = d_operand * h_masked * sigmoid_slope(r);
    d_h_masked = d_operand * r;
  }
};

}  // namespace sluice
