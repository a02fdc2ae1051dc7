#include "kernels/time_loops/recurrence.h"

#include <algorithm>
#include <deque>

#include "kernels/base/error.h"
#include "kernels/device/instruction_set.h"
#include "kernels/device/tiles.h"
#include "kernels/time_loops/row_blocks/recurrence_simd.h"

namespace sluice {
namespace {

std::int64_t recurrent_bytes(const RecurrenceShape& shape) {
  return gate_count(shape.cell) * shape.hidden_size * shape.hidden_size *
         static_cast<std::int64_t>(size_of(shape.type));
}

// Even blocks of 8 to 16 rows, at least one for each thread while they have 4 rows or more.
std::int64_t rows_per_block(std::int64_t batch, std::int64_t threads) {
  constexpr std::int64_t kMostRows = 16, kFewestRows = 4;
  std::int64_t blocks =
      std::max(tile_count(batch, kMostRows), std::min(threads, tile_count(batch, kFewestRows)));
  blocks = tile_count(blocks, threads) * threads;
  return std::max<std::int64_t>(1, tile_count(batch, blocks));
}

// Calls body(task) for every task of a pass.
template <class Args, class Body>
void for_each_task(const Queue& queue, const Args& args, Body&& body) {
  require(queue.device == DeviceKind::cpu, "recurrence: expected a CPU queue, got a CUDA one");
  const std::int64_t batch = args.sequences.batch;
  const int threads = queue.threads == nullptr ? 1 : queue.threads->available();
  const int members = recurrence_members(args.shape, batch, threads);
  const std::int64_t rows =
      members == 1 ? rows_per_block(batch, threads) : tile_count(batch, threads / members);
  const std::int64_t blocks = tile_count(batch, rows);
  const auto task = [&](std::int64_t block) {
    return RecurrenceTask{.first = block * rows, .count = std::min(rows, batch - block * rows)};
  };
  if (members == 1) {
    return parallel_for(queue, blocks, [&](std::int64_t block) { body(task(block)); });
  }
  std::deque<SpinBarrier> barriers;
  for (std::int64_t block = 0; block < blocks; ++block) barriers.emplace_back(members);
  queue.threads->run_team(static_cast<int>(blocks) * members, [&](int i) {
    RecurrenceTask part = task(i / members);
    part.member = i % members;
    part.members = members;
    part.barrier = &barriers[i / members];
    body(part);
  });
}

}  // namespace

std::size_t recurrence_weight_bytes(const RecurrenceShape& shape) {
  return SLUICE_DISPATCH_ISA(recurrence_weight_bytes, shape);
}

std::size_t recurrence_scratch_bytes(const RecurrenceShape& shape, std::int64_t batch) {
  return SLUICE_DISPATCH_ISA(recurrence_scratch_bytes, shape, batch);
}

// A thread that has rows to itself waits for nobody, so units are shared only where each member
// then keeps its part of the weights in its own cache, or where there are not rows enough to go
// round.
int recurrence_members(const RecurrenceShape& shape, std::int64_t batch, int threads) {
  constexpr std::int64_t kCacheBytes = 3 << 19, kWorthMeeting = 1 << 19, kFewestRows = 4;
  const std::int64_t panels = SLUICE_DISPATCH_ISA(backward_panels, shape);
  int members = 1;
  const auto crowded = [&] {
    const std::int64_t part = recurrent_bytes(shape) / members;
    return part > kCacheBytes || (part > kWorthMeeting && batch * members < threads * kFewestRows);
  };
  while (2 * members <= threads && 2 * members <= panels && crowded()) members *= 2;
  return members;
}

void pack_forward_weights(const Queue& queue, const RecurrenceShape& shape, const void* weight_hh,
                          void* packed) {
  parallel_for(queue, SLUICE_DISPATCH_ISA(forward_panels, shape), [&](std::int64_t panel) {
    SLUICE_DISPATCH_ISA(pack_forward_panel, shape, panel, weight_hh, packed);
  });
}

void pack_backward_weights(const Queue& queue, const RecurrenceShape& shape, const void* weight_hh,
                           void* packed) {
  parallel_for(queue, SLUICE_DISPATCH_ISA(backward_panels, shape), [&](std::int64_t panel) {
    SLUICE_DISPATCH_ISA(pack_backward_panel, shape, panel, weight_hh, packed);
  });
}

void recurrence_forward(const Queue& queue, const RecurrenceForwardArgs& args) {
  for_each_task(queue, args, [&](const RecurrenceTask& task) {
    SLUICE_DISPATCH_ISA(forward_block, args, task);
  });
}

void recurrence_backward(const Queue& queue, const RecurrenceBackwardArgs& args) {
  for_each_task(queue, args, [&](const RecurrenceTask& task) {
    SLUICE_DISPATCH_ISA(backward_block, args, task);
  });
}

}  // namespace sluice
