#include "kernels/device/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <csignal>
#include <utility>

#include "kernels/base/error.h"
#include "kernels/device/spin_wait.h"

namespace sluice {
namespace {

// A worker looks this often for the next loop, about a millisecond, before it sleeps: a training
// step is a row of loops some microseconds apart, and a wake-up costs more than that.
constexpr int kLooksForWork = 100000;

thread_local bool inside_loop = false;

int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

// Moves this thread off a processor, if it may run on another.
void leave(int processor) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) return;
  cpu_set_t others = allowed;
  CPU_CLR(processor, &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0)
    sched_setaffinity(0, sizeof allowed, &allowed);
}

// While it lives, threads that are made here get no signals but those of their own faults.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT})
      sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

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

// A call through a pointer, so that the compiler moves none of its arithmetic out of the mode.
void run_alone(std::int64_t count, void (*call)(void* context, std::int64_t index), void* context) {
  const FlushDenormals flush;
  for (std::int64_t i = 0; i < count; ++i) call(context, i);
}

ThreadPool::ThreadPool(int threads) {
  require(threads >= 0, "threads: expected 0 (all processors) or a positive number, got " +
                            std::to_string(threads));
  if (threads == 0) threads = processors();
  const NoSignals block;
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
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

int ThreadPool::available() const noexcept { return inside_loop ? 1 : size(); }

void ThreadPool::take_indices(int member) noexcept {
  const FlushDenormals flush;
  inside_loop = true;
  const auto take = [&](std::int64_t index) {
    try {
      call_(context_, index);
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  };
  if (team_) {
    if (member < count_) take(member);
  } else {
    for (std::int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) take(i);
  }
  inside_loop = false;
}

void ThreadPool::run_erased(std::int64_t count, Call call, void* context, bool team) {
  if (count <= 0) return;
  require(!team || count <= available(), "ThreadPool::run_team: expected at most " +
                                             std::to_string(available()) + " members, got " +
                                             std::to_string(count));
  if (inside_loop) {
    for (std::int64_t i = 0; i < count; ++i) call(context, i);
    return;
  }
  count_ = count;
  call_ = call;
  context_ = context;
  team_ = team;
  next_.store(0, std::memory_order_relaxed);
  const bool shared = count > 1 && !workers_.empty();
  if (shared) {
    {
      const std::lock_guard lock(mutex_);
      caller_processor_ = sched_getcpu();
      busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
      loop_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
  }
  take_indices(0);
  if (shared) spin_until([&] { return busy_.load(std::memory_order_acquire) == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::work(int member) {
  for (std::uint64_t seen = 0;;) {
    if (!spin(kLooksForWork, [&] { return loop_.load(std::memory_order_acquire) != seen; })) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return loop_.load(std::memory_order_relaxed) != seen; });
    }
    if (stopping_) return;
    ++seen;
    // The system likes to wake a thread on the processor of the one that wakes it; there they would
    // take turns while another processor idles.
    if (sched_getcpu() == caller_processor_) leave(caller_processor_);
    take_indices(member);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace sluice
