// The time loop as a product and a fused cell kernel each step: any device, any size, any cell.
#pragma once

#include "engine/loops/time_loop.h"

namespace sluice {

class StepwiseLoop final : public TimeLoop {
 public:
  using TimeLoop::TimeLoop;

  void take(Carver& carver, LoopMemory& memory) const override;
  void run(const Queue& queue, std::span<const LoopForwardArgs> directions) const override;
  void run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const override;
};

}  // namespace sluice
