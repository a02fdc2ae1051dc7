// The time loop as a product and a fused cell kernel each step: any device, any size.
#pragma once

#include "kernels/base/queue.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {

/// The arguments of recurrence_forward (kernels/time_loops/recurrence.h), but with the weights as
/// they stand.
struct StepwiseForwardArgs {
  RecurrenceForwardArgs recurrence;  ///< packed and scratch are not read
  const void* weight_hh = nullptr;   ///< [G*H, H]
  void* h_operand = nullptr;         ///< [G, B, H] with a mask; [B, H] of a 16-bit type without
};
void stepwise_forward(const Queue& queue, const StepwiseForwardArgs& args);

struct StepwiseBackwardArgs {
  RecurrenceBackwardArgs recurrence;
  const void* weight_hh = nullptr;
  void* d_masked = nullptr;  ///< [G, B, H] with a mask; of state_type
  void* dq = nullptr;        ///< [B, H] GRU reset-before; of state_type
};
void stepwise_backward(const Queue& queue, const StepwiseBackwardArgs& args);

}  // namespace sluice
