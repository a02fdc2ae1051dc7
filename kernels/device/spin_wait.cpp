#include "kernels/device/spin_wait.h"

namespace sluice {

void SpinBarrier::wait() noexcept {
  const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
  if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
    waiting_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
  } else if (!spin(kLooks, [&] { return phase_.load(std::memory_order_acquire) != phase; })) {
    phase_.wait(phase, std::memory_order_acquire);
  }
}

}  // namespace sluice
