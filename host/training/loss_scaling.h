// Dynamic loss scaling of a training whose gradients are float16 (kernels/losses/loss_scale.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/buffer.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

/// Owns the scale and its counters on the device; every call but get() and set() waits for nothing.
class LossScaling {
 public:
  /// `on` false: state() is null and the calls do nothing.
  LossScaling(const Queue& queue, bool on);

  /// What the loss and the optimiser read.
  const LossScale* state() const { return state_.as<LossScale>(); }

  /// After the backward pass: gradients [count] are divided by the scale and looked through.
  void unscale(float* gradients, std::int64_t count) const;
  /// After the optimiser's update.
  void update() const;

  /// Off the device, for checkpoints and reports; LossScale() if off.
  LossScale get() const;
  void set(const LossScale& state) const;

  std::size_t bytes() const { return state_.bytes(); }

 private:
  Queue queue_;
  Buffer state_;
};

}  // namespace sluice
