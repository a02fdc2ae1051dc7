#include "kernels/losses/loss_scale.h"

#include <atomic>

#include "kernels/device/tiles.h"
#include "kernels/losses/loss_scale_rule.h"

namespace sluice::cpu {

void unscale_gradients(const Queue& queue, const UnscaleGradientsArgs& args) {
  constexpr std::int64_t kTile = 16384;
  const float factor = 1.0f / args.state->scale;
  parallel_tiles(queue, args.count, kTile, [&](std::int64_t i, std::int64_t end) {
    bool finite = true;
    for (; i < end; ++i) {
      const float gradient = args.gradients[i] * factor;
      const bool fits = is_finite(gradient);
      finite = finite && fits;
      args.gradients[i] = fits ? gradient : 0.0f;
    }
    if (!finite) std::atomic_ref(args.state->skip).store(1, std::memory_order_relaxed);
  });
}

void update_loss_scale(const Queue&, const UpdateLossScaleArgs& args) {
  next_loss_scale(*args.state, args.growth_steps);
}

}  // namespace sluice::cpu
