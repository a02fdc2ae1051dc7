// More streams of a queue, for work that may overlap with its own.
//
// Public API.
#pragma once

#include <vector>

#include "kernels/base/queue.h"

namespace sluice {

/// Streams with cuBLAS handles of their own, and events by which they wait for each other. Owned by
/// the queue that create_cuda_queue made.
struct Lanes {
  static constexpr int most_events = 64;

  std::vector<Queue> queues;  ///< beside the queue itself
  std::vector<void*> events;  ///< none without queues
};

/// Sees to it that work on `queue` can be divided among `count` streams, its own among them; each
/// further one holds 32 MiB for cuBLAS (4 MiB before compute capability 9.0). Nothing on the CPU,
/// nor for a queue without lanes. Not while the queue's work is recorded. Errors: runtime from
/// CUDA.
void add_lanes(const Queue& queue, int count);

/// Streams that work on `queue` can be divided among: 1 or more.
int lane_count(const Queue& queue);

Lanes* create_lanes();
void destroy_lanes(Lanes* lanes) noexcept;

}  // namespace sluice
