#include "kernels/losses/loss_scale.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {

void unscale_gradients(const Queue& queue, const UnscaleGradientsArgs& args) {
  check_least("unscale_gradients", "count", args.count);
  if (args.count == 0) return;
  check_pointer("unscale_gradients", "gradients", args.gradients);
  check_pointer("unscale_gradients", "state", args.state);
  SLUICE_DISPATCH(unscale_gradients, queue, args);
}

void update_loss_scale(const Queue& queue, const UpdateLossScaleArgs& args) {
  check_pointer("update_loss_scale", "state", args.state);
  SLUICE_DISPATCH(update_loss_scale, queue, args);
}

}  // namespace sluice
