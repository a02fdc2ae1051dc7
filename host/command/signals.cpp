#include "host/command/signals.h"

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace sluice {
namespace {

constexpr std::size_t stack_bytes = 64 * 1024;  // AVX-512 and AMX make a frame of 11 KiB

// A second for the sender, and what a busy machine takes to deliver.
constexpr std::int64_t same_request_ns = 1'100'000'000;

TrainingRequests pending;  // handlers can reach nothing but globals
std::atomic<std::int64_t> first_interrupt{0}, first_termination{0};  // when; 0: none came
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (const int other : {SIGINT, SIGTERM}) sigaddset(&action.sa_mask, other);  // in their order
  sigaction(signal, &action, nullptr);
}

std::int64_t now_ns() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// Calls nothing but clock_gettime(), sigaction() and raise(), which a handler may.
void on_stop(int signal) {
  std::atomic<std::int64_t>& first = signal == SIGINT ? first_interrupt : first_termination;
  const std::int64_t now = now_ns();
  std::int64_t before = 0;
  if (!first.compare_exchange_strong(before, now)) {
    if (now - before <= same_request_ns) return;
    handle(signal, SIG_DFL, 0);
    raise(signal);  // ends the process as this handler returns
    return;
  }
  int none = 0;
  pending.stop.compare_exchange_strong(none, signal);
}

void on_save(int) { pending.save = true; }

}  // namespace

SignalRequests::SignalRequests() : stack_(stack_bytes) {
  stack_t apart = {};
  apart.ss_sp = stack_.data();
  apart.ss_size = stack_.size();
  sigaltstack(&apart, &stack_before_);
  pending.stop = 0;
  pending.save = false;
  first_interrupt = 0;
  first_termination = 0;
  constexpr int flags = SA_RESTART | SA_ONSTACK;
  handle(SIGINT, on_stop, flags);
  handle(SIGTERM, on_stop, flags);
  handle(SIGUSR1, on_save, flags);
}

SignalRequests::~SignalRequests() {
  // The second signal of a stop may come when all is saved: it must not change the exit code.
  void (*const stop)(int) = pending.stop != 0 ? on_stop : SIG_DFL;
  handle(SIGINT, stop, SA_RESTART);
  handle(SIGTERM, stop, SA_RESTART);
  handle(SIGUSR1, SIG_DFL, 0);
  sigaltstack(&stack_before_, nullptr);
}

TrainingRequests& SignalRequests::requests() { return pending; }

}  // namespace sluice
