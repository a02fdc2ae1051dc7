#include "host/training/loss_scaling.h"

#include "kernels/device/device.h"

namespace sluice {

LossScaling::LossScaling(const Queue& queue, bool on) : queue_(queue) {
  if (!on) return;
  state_ = Buffer(queue, sizeof(LossScale));
  set(LossScale());
}

void LossScaling::unscale(float* gradients, std::int64_t count) const {
  if (state() == nullptr) return;
  unscale_gradients(queue_,
                    {.count = count, .gradients = gradients, .state = state_.as<LossScale>()});
}

void LossScaling::update() const {
  if (state() == nullptr) return;
  update_loss_scale(queue_, {.state = state_.as<LossScale>()});
}

LossScale LossScaling::get() const {
  LossScale value;
  if (state() == nullptr) return value;
  download(queue_, &value, state_.data(), sizeof value);
  synchronize(queue_);
  return value;
}

void LossScaling::set(const LossScale& value) const {
  if (state() == nullptr) return;
  upload(queue_, state_.data(), &value, sizeof value);
  synchronize(queue_);
}

}  // namespace sluice
