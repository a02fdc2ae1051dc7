#include "host/command/signals.h"

#include <csignal>

namespace sluice {
namespace {

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

SignalRequests::SignalRequests() {
  pending.stop = 0;
  pending.save = false;
  handle(SIGINT, on_stop, SA_RESTART | static_cast<int>(SA_RESETHAND));
  handle(SIGTERM, on_stop, SA_RESTART | static_cast<int>(SA_RESETHAND));
  handle(SIGUSR1, on_save, SA_RESTART);
}

SignalRequests::~SignalRequests() {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) handle(signal, SIG_DFL, 0);
}

TrainingRequests& SignalRequests::requests() { return pending; }

}  // namespace sluice
