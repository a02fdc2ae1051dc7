// The time loop in blocks of rows that run through all steps on one thread: the CPU, float32 and
// float64. The launches are kernels/time_loops/recurrence.h's.
#pragma once

#include "engine/loops/time_loop.h"

namespace sluice {

class RowBlocksLoop final : public TimeLoop {
 public:
  using TimeLoop::TimeLoop;

  std::string why_not() const override;
  std::string describe() const override;
  void take(Carver& carver, LoopMemory& memory) const override;
  void prepare(const Queue& queue, const void* weight_hh, const LoopMemory& memory) const override;
  void run(const Queue& queue, std::span<const LoopForwardArgs> directions) const override;
  void run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const override;
};

}  // namespace sluice
