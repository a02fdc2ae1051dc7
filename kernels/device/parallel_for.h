// A loop on a CPU queue's threads.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/device/thread_pool.h"

namespace sluice {

/// Runs body(i) for i in [0, count) on the queue's threads. The work must be the same whatever
/// thread takes an index, so that results do not depend on the number of threads.
template <class Body>
void parallel_for(const Queue& queue, std::int64_t count, Body&& body) {
  if (queue.threads != nullptr) {
    queue.threads->run(count, body);
  } else {
    run_alone(count, body);
  }
}

}  // namespace sluice
