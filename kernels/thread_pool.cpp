#include "kernels/thread_pool.h"

#include <sched.h>

#include <utility>

#include "kernels/error.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice {
namespace {

// A worker looks for the next loop this often before it sleeps: a training step is a row of
// loops some microseconds apart, and a wake-up costs more than that.
constexpr int kSpins = 4000;

thread_local bool inside_loop = false;

void pause() {
#if defined(__SSE2__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

}  // namespace

FlushDenormals::FlushDenormals() noexcept : saved_(0) {
#if defined(__SSE2__)
  saved_ = _mm_getcsr();
  _mm_setcsr(static_cast<unsigned>(saved_) | 0x8040u);  // FTZ | DAZ
#elif defined(__aarch64__)
  asm volatile("mrs %0, fpcr" : "=r"(saved_));
  asm volatile("msr fpcr, %0" : : "r"(saved_ | (1ull << 24)));  // FZ
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__SSE2__)
  _mm_setcsr(static_cast<unsigned>(saved_));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(saved_));
#endif
}

ThreadPool::ThreadPool(int threads) {
  require(threads >= 0, "threads: expected 0 (all processors) or a positive number, got " +
                            std::to_string(threads));
  if (threads == 0) threads = processors();
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ++loop_;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::take_indices() noexcept {
  const FlushDenormals flush;
  inside_loop = true;
  for (;;) {
    const std::int64_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_) break;
    try {
      call_(context_, index);
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }
  inside_loop = false;
}

void ThreadPool::run_erased(std::int64_t count, Call call, void* context) {
  if (count <= 0) return;
  if (inside_loop) {
    for (std::int64_t i = 0; i < count; ++i) call(context, i);
    return;
  }
  count_ = count;
  call_ = call;
  context_ = context;
  next_.store(0, std::memory_order_relaxed);
  const bool shared = count > 1 && !workers_.empty();
  if (shared) {
    {
      const std::lock_guard lock(mutex_);
      busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
      loop_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
  }
  take_indices();
  if (shared) {
    for (int spins = 0; busy_.load(std::memory_order_acquire) != 0; ++spins) {
      if (spins < kSpins) {
        pause();
      } else {
        std::this_thread::yield();
      }
    }
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::work() {
  for (std::uint64_t seen = 0;;) {
    for (int spins = 0; spins < kSpins && loop_.load(std::memory_order_acquire) == seen; ++spins) {
      pause();
    }
    if (loop_.load(std::memory_order_acquire) == seen) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return loop_.load(std::memory_order_relaxed) != seen; });
    }
    if (stopping_) return;
    ++seen;
    take_indices();
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace sluice
