// The clock that suits a queue.
#pragma once

#include <memory>

#include "kernels/base/queue.h"

namespace sluice::bench {

struct Elapsed {
  double real = 0, cpu = 0;  ///< seconds
};

/// start() and stop() enclose what is enqueued between them. On CUDA they are events on the stream.
class Clock {
 public:
  explicit Clock(const Queue& queue);
  ~Clock();
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  void start();
  Elapsed stop();  ///< waits for what was enqueued

 private:
  struct Events;
  Queue queue_;
  std::unique_ptr<Events> events_;
  double real_ = 0, cpu_ = 0;
};

/// Seconds of the monotonic clock, and of processor time of this process.
double monotonic_seconds();
double process_seconds();

}  // namespace sluice::bench
