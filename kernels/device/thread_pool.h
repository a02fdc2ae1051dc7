// A fixed team of threads that share out the indices of a loop.
//
// Public API.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace sluice {

/// Owns `threads - 1` workers; the caller of run() is the last member of the team. Every member
/// runs with denormal numbers flushed to zero (they cost some twenty times a normal number).
/// Workers block signals: oneDNN's AVX-512 products point the stack at the heap, where a handler's
/// frame destroys data (uxlfoundation/oneDNN#4845). The caller may take them on a stack apart
/// (SA_ONSTACK, as host/command/signals.h does).
/// One run() at a time; run() from inside a body runs its loop on the calling thread alone.
class ThreadPool {
 public:
  /// Zero means one thread for each processor this process may use. Errors: usage if negative.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(i) once for each i in [0, count), in rising order as members become free, and
  /// returns when all are done. The first exception a body throws is rethrown here.
  template <class Body>
  void run(std::int64_t count, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run_erased(
        count, [](void* context, std::int64_t i) { (*static_cast<Plain*>(context))(i); },
        const_cast<void*>(static_cast<const void*>(&body)), false);
  }

  /// The most members run_team() can have now: size(), or 1 inside a body.
  int available() const noexcept;

  /// Calls body(member) once for each member in [0, members), all at the same time, so that they
  /// may wait for one another; a member is always the same thread. A body that others wait for
  /// must not throw. Errors: usage if there are more members than available().
  template <class Body>
  void run_team(int members, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run_erased(
        members,
        [](void* context, std::int64_t i) { (*static_cast<Plain*>(context))(static_cast<int>(i)); },
        const_cast<void*>(static_cast<const void*>(&body)), true);
  }

 private:
  using Call = void (*)(void* context, std::int64_t index);

  void run_erased(std::int64_t count, Call call, void* context, bool team);
  void work(int member);
  void take_indices(int member) noexcept;

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> loop_{0};  // number of the current loop
  std::atomic<std::int64_t> next_{0};   // the next index nobody has taken
  std::atomic<int> busy_{0};            // workers still in the current loop
  std::int64_t count_ = 0;
  Call call_ = nullptr;
  void* context_ = nullptr;
  int caller_processor_ = -1;  // that the caller of run() is on
  bool team_ = false;          // a member takes its own index alone
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::atomic<bool> stopping_{false};
};

/// Calls body(i) once for each i in [0, count) in rising order on the calling thread, as a pool of
/// one would: with denormal numbers flushed to zero, and the thread's mode as it was afterwards.
void run_alone(std::int64_t count, void (*call)(void* context, std::int64_t index), void* context);
template <class Body>
void run_alone(std::int64_t count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_alone(
      count, [](void* context, std::int64_t i) { (*static_cast<Plain*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/// While it lives, denormal numbers on this thread count as zero, in and out.
class FlushDenormals {
 public:
  FlushDenormals() noexcept;
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t saved_;
};

}  // namespace sluice
