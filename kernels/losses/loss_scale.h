// Dynamic loss scaling, for gradients whose type has a short range (float16): the loss is
// multiplied before the backward pass, the gradients are divided after it, and the factor finds
// itself. Micikevicius et al. 2018; the rule and its constants are those of PyTorch's GradScaler.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// On the device; no launch waits for the host to read it. Starts as a copy of LossScale().
struct LossScale {
  float scale = 65536.0f;           ///< 2^16: factor on the loss's gradient
  std::uint32_t clean_steps = 0;    ///< in a row without Inf or NaN since the scale last changed
  std::uint32_t skipped_steps = 0;  ///< in all
  std::uint32_t skip = 0;  ///< 1: this step's gradients hold Inf or NaN; the optimiser skips it
};

inline constexpr std::uint32_t kLossScaleGrowthSteps = 2000;

/// gradients[i] /= state->scale; state->skip = 1 if one is Inf or NaN. Those become 0, so that a
/// norm taken of the skipped step's gradients is finite and clipping by it spreads no NaN.
struct UnscaleGradientsArgs {
  std::int64_t count = 0;
  float* gradients = nullptr;  ///< [count]
  LossScale* state = nullptr;  ///< [1]
};

/// Ends a step: one that was skipped halves the scale; after `growth_steps` clean ones in a row it
/// doubles, unless that is past float32. Clears skip.
struct UpdateLossScaleArgs {
  LossScale* state = nullptr;  ///< [1]
  std::uint32_t growth_steps = kLossScaleGrowthSteps;
};

/// Errors: usage on a negative count or a null pointer.
void unscale_gradients(const Queue& queue, const UnscaleGradientsArgs& args);
void update_loss_scale(const Queue& queue, const UpdateLossScaleArgs& args);

namespace cpu {
void unscale_gradients(const Queue&, const UnscaleGradientsArgs&);
void update_loss_scale(const Queue&, const UpdateLossScaleArgs&);
}  // namespace cpu
namespace cuda {
void unscale_gradients(const Queue&, const UnscaleGradientsArgs&);
void update_loss_scale(const Queue&, const UpdateLossScaleArgs&);
}  // namespace cuda

}  // namespace sluice
