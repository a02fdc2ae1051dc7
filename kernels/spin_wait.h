// Waiting by looking, for what other threads do within microseconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice {

/// Looks until done() is true, or for about a millisecond in vain; says which.
template <class Done>
bool spin(Done&& done) noexcept {
  constexpr int kLooks = 100000;
  for (int look = 0; !done(); ++look) {
    if (look == kLooks) return false;
#if defined(__SSE2__)
    _mm_pause();
#endif
  }
  return true;
}

/// Returns once done() is true; after spin() it gives the processor away between looks.
template <class Done>
void spin_until(Done&& done) noexcept {
  if (spin(done)) return;
  while (!done()) std::this_thread::yield();
}

/// Where the members of a team wait for one another; what each wrote before, all see after.
class SpinBarrier {
 public:
  explicit SpinBarrier(int members) noexcept : members_(members) {}
  SpinBarrier(const SpinBarrier&) = delete;
  SpinBarrier& operator=(const SpinBarrier&) = delete;

  void wait() noexcept;

 private:
  const int members_;
  alignas(64) std::atomic<int> waiting_{0};
  alignas(64) std::atomic<std::uint32_t> phase_{0};
};

}  // namespace sluice
