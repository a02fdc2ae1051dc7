// The vanilla recurrent cell (Elman 1990), with tanh or ReLU.
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// The only slot holds the pre-activation, then h.
///   h = tanh(pre) or max(pre, 0)
template <bool relu>
struct RnnCell {
  static constexpr CellSpec spec = {.name = relu ? "rnn_relu" : "rnn_tanh",
                                    .gates = 1,
                                    .slots = 1,
                                    .slot = {{{.recurrent = 0, .bias = SlotBias::both}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<RnnCell, T>& u) {
    if constexpr (relu) {
      u.slot[0] = rectify(u.slot[0]);
    } else {
      u.slot[0] = hyperbolic_tangent(u.slot[0]);
    }
    u.state[0] = u.slot[0];
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<RnnCell, T>& u) {
    if constexpr (relu) {
      u.slot[0] = where_positive(u.slot[0], u.d_state[0]);
    } else {
      u.slot[0] = u.d_state[0] * tanh_slope(u.slot[0]);
    }
    u.d_state[0] = T(0);
  }
};

}  // namespace sluice
