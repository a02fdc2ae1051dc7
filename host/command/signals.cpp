#include "host/command/signals.h"

#include <csignal>
#include <cstddef>

namespace sluice {
namespace {

constexpr std::size_t stack_bytes = 64 * 1024;  // AVX-512 and AMX make a frame of 11 KiB

TrainingRequests pending;  // handlers can reach nothing but globals
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_stop(int signal) { pending.stop = signal; }
void on_save(int) { pending.save = true; }

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

SignalRequests::SignalRequests() : stack_(stack_bytes) {
  stack_t apart = {};
  apart.ss_sp = stack_.data();
  apart.ss_size = stack_.size();
  sigaltstack(&apart, &stack_before_);
  pending.stop = 0;
  pending.save = false;
  constexpr int flags = SA_RESTART | SA_ONSTACK;
  handle(SIGINT, on_stop, flags | static_cast<int>(SA_RESETHAND));
  handle(SIGTERM, on_stop, flags | static_cast<int>(SA_RESETHAND));
  handle(SIGUSR1, on_save, flags);
}

SignalRequests::~SignalRequests() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) handle(signal, SIG_DFL, 0);
  sigaltstack(&stack_before_, nullptr);
}

TrainingRequests& SignalRequests::requests() { return pending; }

}  // namespace sluice
