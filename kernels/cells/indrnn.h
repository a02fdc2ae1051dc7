// The independently recurrent cell (Li et al. 2018, eq. 2), with ReLU: a unit sees its own h alone.
//
// Public API.
#pragma once

#include "kernels/base/activation.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// The only slot holds the pre-activation, then h. The weight of a unit is R's diagonal.
///   h = max(pre + u h_prev, 0)
struct IndRnnCell {
  static constexpr CellSpec spec = {.name = "indrnn",
                                    .gates = 1,
                                    .slots = 1,
                                    .unit_weights = 1,
                                    .recurrent_matrix = false,
                                    .reads_previous_h = true,
                                    .unit_weight_name = "weight_hh",
                                    .slot = {{{.bias = SlotBias::both}}},
                                    .unit_weight = {{{.slot = 0, .previous_state = 0}}}};

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<IndRnnCell, T>& u) {
    u.slot[0] = rectify(u.slot[0] + u.weight[0] * u.previous[0]);
    u.state[0] = u.slot[0];
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<IndRnnCell, T>& u) {
    u.slot[0] = where_positive(u.slot[0], u.d_state[0]);
    u.d_state[0] = u.slot[0] * u.weight[0];
  }
};

}  // namespace sluice
