#include "kernels/time_loops/recurrent_state.h"

#include "kernels/base/dispatch.h"

namespace sluice {

void mask_state(const Queue& queue, const MaskStateArgs& args) {
  require(args.h != nullptr && args.out != nullptr,
          "mask_state: h and out: expected pointers, got null");
  SLUICE_DISPATCH(mask_state, queue, args);
}

void unmask_gradient(const Queue& queue, const UnmaskGradientArgs& args) {
  require(args.mask != nullptr && args.d_masked != nullptr && args.dh != nullptr,
          "unmask_gradient: mask, d_masked and dh: expected pointers, got null");
  require(args.rows <= args.batch, "unmask_gradient: rows: expected at most batch");
  SLUICE_DISPATCH(unmask_gradient, queue, args);
}

void previous_states(const Queue& queue, const PreviousStatesArgs& args) {
  require(args.h != nullptr && args.h_initial != nullptr && args.out != nullptr,
          "previous_states: h, h_initial and out: expected pointers, got null");
  SLUICE_DISPATCH(previous_states, queue, args);
}

}  // namespace sluice
