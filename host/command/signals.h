// SIGINT, SIGTERM and SIGUSR1 as requests to a training.
#pragma once

#include <csignal>
#include <vector>

#include "host/training/trainer.h"

namespace sluice {

/// While it lives: SIGINT and SIGTERM set `stop` to their number (a second one ends the process at
/// once), SIGUSR1 sets `save`. One at a time, on the thread that trains, which gets a stack apart for
/// them: see kernels/thread_pool.h.
class SignalRequests {
 public:
  SignalRequests();
  ~SignalRequests();
  SignalRequests(const SignalRequests&) = delete;
  SignalRequests& operator=(const SignalRequests&) = delete;

  TrainingRequests& requests();

 private:
  std::vector<char> stack_;
  stack_t stack_before_ = {};
};

/// 128 + signal, as shells have it: 130 for SIGINT, 143 for SIGTERM.
constexpr int exit_code_of_signal(int signal) { return 128 + signal; }

}  // namespace sluice
