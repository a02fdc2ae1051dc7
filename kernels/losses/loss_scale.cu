// Loss scaling: one thread a gradient, grid-stride; one thread for the rule.
#include "kernels/losses/loss_scale.h"

#include "kernels/device/launch.h"
#include "kernels/losses/loss_scale_rule.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 256;

__global__ void unscale_kernel(std::int64_t count, float* gradients, LossScale* state) {
  const float factor = 1.0f / state->scale;
  bool finite = true;
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) {
    const float gradient = gradients[i] * factor;
    const bool fits = is_finite(gradient);
    finite = finite && fits;
    gradients[i] = fits ? gradient : 0.0f;
  }
  if (!finite) atomicOr(&state->skip, 1u);  // the same from whoever finds one
}

__global__ void update_kernel(LossScale* state, std::uint32_t growth_steps) {
  next_loss_scale(*state, growth_steps);
}

}  // namespace

void unscale_gradients(const Queue& queue, const UnscaleGradientsArgs& args) {
  launch(
      unscale_kernel,
      {.grid = grid_for(args.count, kThreads), .block = {kThreads, 1, 1}, .stream = queue.stream},
      args.count, args.gradients, args.state);
}

void update_loss_scale(const Queue& queue, const UpdateLossScaleArgs& args) {
  launch(update_kernel, {.grid = {1, 1, 1}, .block = {1, 1, 1}, .stream = queue.stream}, args.state,
         args.growth_steps);
}

}  // namespace sluice::cuda
