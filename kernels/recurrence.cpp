#include "kernels/recurrence.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/instruction_set.h"
#include "kernels/simd/recurrence.h"

namespace sluice {
namespace {

// Even blocks of 8 to 16 rows, at least one for each thread while they have 4 rows or more; where
// the weights outgrow a core's cache, one block a thread, so that each pass over them serves more rows.
std::int64_t rows_per_block(const Queue& queue, const RecurrenceShape& shape, std::int64_t batch) {
  constexpr std::int64_t kCacheBytes = 1 << 20, kMostRows = 16, kFewestRows = 4;
  const std::int64_t threads = queue.threads == nullptr ? 1 : queue.threads->size();
  const std::int64_t weight_bytes = gate_count(shape.cell) * shape.hidden_size * shape.hidden_size *
                                    static_cast<std::int64_t>(size_of(shape.type));
  const std::int64_t most = weight_bytes > kCacheBytes ? batch : kMostRows;
  std::int64_t blocks = std::max((batch + most - 1) / most,
                                 std::min(threads, (batch + kFewestRows - 1) / kFewestRows));
  blocks = (blocks + threads - 1) / threads * threads;
  return std::max<std::int64_t>(1, (batch + blocks - 1) / blocks);
}

template <class Args, class Body>
void for_each_block(const Queue& queue, const Args& args, Body&& body) {
  require(queue.device == DeviceKind::cpu, "recurrence: expected a CPU queue, got a CUDA one");
  const std::int64_t batch = args.sequences.batch;
  const std::int64_t rows = rows_per_block(queue, args.shape, batch);
  parallel_for(queue, (batch + rows - 1) / rows, [&](std::int64_t block) {
    body(block * rows, std::min(rows, batch - block * rows));
  });
}

}  // namespace

std::size_t recurrence_weight_bytes(const RecurrenceShape& shape) {
  return SLUICE_DISPATCH_ISA(recurrence_weight_bytes, shape);
}

std::size_t recurrence_scratch_bytes(const RecurrenceShape& shape, std::int64_t batch) {
  return SLUICE_DISPATCH_ISA(recurrence_scratch_bytes, shape, batch);
}

void pack_forward_weights(const Queue&, const RecurrenceShape& shape, const void* weight_hh,
                          void* packed) {
  SLUICE_DISPATCH_ISA(pack_forward_weights, shape, weight_hh, packed);
}

void pack_backward_weights(const Queue&, const RecurrenceShape& shape, const void* weight_hh,
                           void* packed) {
  SLUICE_DISPATCH_ISA(pack_backward_weights, shape, weight_hh, packed);
}

void recurrence_forward(const Queue& queue, const RecurrenceForwardArgs& args) {
  for_each_block(queue, args, [&](std::int64_t first, std::int64_t count) {
    SLUICE_DISPATCH_ISA(forward_block, args, first, count);
  });
}

void recurrence_backward(const Queue& queue, const RecurrenceBackwardArgs& args) {
  for_each_block(queue, args, [&](std::int64_t first, std::int64_t count) {
    SLUICE_DISPATCH_ISA(backward_block, args, first, count);
  });
}

}  // namespace sluice
