// Gated recurrent unit (Cho et al. 2014), in both places of the reset gate.
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// Reset after the product (cuDNN, PyTorch). One unit of one row.
/// Slots of the gates buffer: r, z, n and q = Rn h_prev + bRn.
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
    forward(u.slot, u.previous[0], u.state[0]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<GruCell, T>& u) {
    backward(u.slot, u.previous[0], u.d_state[0], u.d_state[0]);
  }

  static constexpr int gates = 3;
  static constexpr int slots = 4;

  /// `gate`: pre-activations of r and z, Wn x + bWn, q in; r, z, n, q out.
  template <class T>
  SLUICE_HOST_DEVICE static void forward(T gate[4], T h_prev, T& h) {
    gate[0] = sigmoid(gate[0]);
    gate[1] = sigmoid(gate[1]);
    gate[2] = hyperbolic_tangent(gate[2] + gate[0] * gate[3]);
    h = gate[2] + gate[1] * (h_prev - gate[2]);
  }

  /// `gate`: r, z, n, q in; gradients by pre_r, pre_z, pre_n and q out.
  /// `dh_direct`: the part of the gradient by h_prev that does not pass through R.
  template <class T>
  SLUICE_HOST_DEVICE static void backward(T gate[4], T h_prev, T dh, T& dh_direct) {
    const T r = gate[0], z = gate[1], n = gate[2], q = gate[3];
    const T dn = dh * (T(1) - z) * tanh_slope(n);
    gate[0] = dn * q * sigmoid_slope(r);
    gate[1] = dh * (h_prev - n) * sigmoid_slope(z);
    gate[2] = dn;
    gate[3] = dn * r;
    dh_direct = dh * z;
  }
};

/// Reset before the product. Slots: r, z, n and q = r m h_prev, where m is the recurrent dropout's
/// mask of gate n (1 without). Two halves, since n needs q of all units.
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
    forward_reset(u.slot, h_masked);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<GruResetBeforeCell, T>& u) {
    forward_output(u.slot, u.previous[0], u.state[0]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<GruResetBeforeCell, T>& u) {
    backward_output(u.slot, u.previous[0], u.d_state[0], u.d_state[0]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward_operand(Unit<GruResetBeforeCell, T>& u, T h_masked,
                                                  T d_operand, T& d_h_masked) {
    backward_reset(u.slot, h_masked, d_operand, d_h_masked);
  }

  static constexpr int gates = 3;
  static constexpr int slots = 4;

  /// gate[0], gate[1]: pre-activations in, r and z out. gate[3]: q out.
  template <class T>
  SLUICE_HOST_DEVICE static void forward_reset(T gate[4], T h_masked) {
    gate[0] = sigmoid(gate[0]);
    gate[1] = sigmoid(gate[1]);
    gate[3] = gate[0] * h_masked;
  }

  /// gate[2]: pre-activation in, n out.
  template <class T>
  SLUICE_HOST_DEVICE static void forward_output(T gate[4], T h_prev, T& h) {
    gate[2] = hyperbolic_tangent(gate[2]);
    h = gate[2] + gate[1] * (h_prev - gate[2]);
  }

  /// gate: r, z, n in; gradients by pre_z and pre_n out (gate[0], gate[3] untouched).
  template <class T>
  SLUICE_HOST_DEVICE static void backward_output(T gate[4], T h_prev, T dh, T& dh_direct) {
    const T z = gate[1], n = gate[2];
    gate[1] = dh * (h_prev - n) * sigmoid_slope(z);
    gate[2] = dh * (T(1) - z) * tanh_slope(n);
    dh_direct = dh * z;
  }

  /// gate[0]: r in, gradient by pre_r out. `dq` = Rn^T dn. `dh_masked`: gradient by m h_prev.
  template <class T>
  SLUICE_HOST_DEVICE static void backward_reset(T gate[4], T h_masked, T dq, T& dh_masked) {
    const T r = gate[0];
    gate[0] = dq * h_masked * sigmoid_slope(r);
    dh_masked = dq * r;
  }
};

}  // namespace sluice
