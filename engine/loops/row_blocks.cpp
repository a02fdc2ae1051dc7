#include "engine/loops/row_blocks.h"

#include <algorithm>
#include <thread>

namespace sluice {

std::string RowBlocksLoop::why_not() const {
  const DataType type = request_.config.data_type;
  return is_16_bit(type) ? std::string("it takes float32 and float64, got ") + name_of(type) : "";
}

// How the threads of this machine would share a pass out.
std::string RowBlocksLoop::describe() const {
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int members = recurrence_members(request_.shape(), request_.batch, threads);
  const std::string of = "threads: of " + std::to_string(threads) + ", ";
  if (members == 1) return of + "each takes rows of its own";
  return of + std::to_string(members) +
         " share the units of a row, since the recurrent weights are many for one core's cache or "
         "rows are few";
}

void RowBlocksLoop::take(Carver& carver, LoopMemory& memory) const {
  memory.packed = carver.take(recurrence_weight_bytes(request_.shape()));
  memory.scratch = carver.take(recurrence_scratch_bytes(request_.shape(), request_.batch));
}

void RowBlocksLoop::prepare(const Queue& queue, const void* weight_hh,
                            const LoopMemory& memory) const {
  const auto pack = backward() ? pack_backward_weights : pack_forward_weights;
  pack(queue, request_.shape(), weight_hh, memory.packed);
}

void RowBlocksLoop::run(const Queue& queue, std::span<const LoopForwardArgs> directions) const {
  for (const LoopForwardArgs& each : directions) recurrence_forward(queue, each.recurrence);
}

void RowBlocksLoop::run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const {
  for (const LoopBackwardArgs& each : directions) recurrence_backward(queue, each.recurrence);
}

}  // namespace sluice
