// The rule of kernels/losses/loss_scale.h, for both backends.
#pragma once

#include "kernels/base/host_device.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

/// False for Inf and NaN.
SLUICE_HOST_DEVICE bool is_finite(float x) { return x - x == 0.0f; }

SLUICE_HOST_DEVICE void next_loss_scale(LossScale& state, std::uint32_t growth_steps) {
  if (state.skip != 0) {
    state.scale *= 0.5f;
    state.clean_steps = 0;
    ++state.skipped_steps;
    state.skip = 0;
  } else if (++state.clean_steps >= growth_steps) {
    if (is_finite(state.scale * 2.0f)) state.scale *= 2.0f;
    state.clean_steps = 0;
  }
}

}  // namespace sluice
