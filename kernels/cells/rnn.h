// The vanilla recurrent cell (Elman 1990), with tanh or ReLU.
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// One unit of one row. The only slot holds the pre-activation, then h.
///   h = tanh(pre) or max(pre, 0)
template <bool relu>
struct RnnCell {
  static constexpr CellSpec spec = {.name = relu ? "rnn_relu" : "rnn_tanh",
                                    .gates = 1,
                                    .slots = 1,
                                    .slot = {{{.recurrent = 0, .bias = SlotBias::both}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<RnnCell, T>& u) {
    forward(u.slot, u.state[0]);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<RnnCell, T>& u) {
    backward(u.slot, u.d_state[0]);
    u.d_state[0] = T(0);
  }

  static constexpr int gates = 1;
  static constexpr int slots = 1;

  template <class T>
  SLUICE_HOST_DEVICE static void forward(T gate[1], T& h) {
    if constexpr (relu) {
      gate[0] = rectify(gate[0]);
    } else {
      gate[0] = hyperbolic_tangent(gate[0]);
    }
    h = gate[0];
  }

  /// `gate`: h in, gradient by the pre-activation out.
  template <class T>
  SLUICE_HOST_DEVICE static void backward(T gate[1], T dh) {
    if constexpr (relu) {
      gate[0] = where_positive(gate[0], dh);
    } else {
      gate[0] = dh * tanh_slope(gate[0]);
    }
  }
};

}  // namespace sluice
