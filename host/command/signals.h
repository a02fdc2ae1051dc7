// SIGINT, SIGTERM and SIGUSR1 as requests to a training.
#pragma once

#include <csignal>
#include <vector>

#include "host/training/trainer.h"

namespace sluice {

/// While it lives: the first SIGINT or SIGTERM sets `stop` to its number, SIGUSR1 sets `save`.
///
/// Another SIGINT within a second of the first SIGINT is the same request, since what stops a job
/// often sends two (`timeout`: one to its child, one to the group that the child is in); a later
/// one ends the process at once. The same of SIGTERM. Once `stop` is set this holds to the end of
/// the process, also after this object.
///
/// One object at a time, on the thread that trains, which gets a stack apart for the handlers: see
/// kernels/device/thread_pool.h.
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
