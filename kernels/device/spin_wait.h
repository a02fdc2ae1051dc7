// Waiting by looking, for what other threads do within microseconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice {

/// Looks until done() is true, or `looks` times in vain; says which. A look takes about 10 ns.
template <class Done>
bool spin(int looks, Done&& done) noexcept {
  for (int look = 0; !done(); ++look) {
    if (look == looks) return false;
#if defined(__SSE2__)
    _mm_pause();
#endif
  }
  return true;
}

/// Looks that take some 20 us.
inline constexpr int kLooks = 2000;

/// Returns once done() is true. It soon gives the processor away between looks: the one it waits
/// for may need it.
template <class Done>
void spin_until(Done&& done) noexcept {
  if (spin(kLooks, done)) return;
  while (!done()) std::this_thread::yield();
}

/// Where the members of a team wait for one another; what each wrote before, all see after. A
/// member that has looked for some 20 us in vain sleeps.
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
