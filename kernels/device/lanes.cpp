#include "kernels/device/lanes.h"

#include <memory>

#include "kernels/device/device.h"
#include "kernels/device/side_stream.h"

namespace sluice {

void add_lanes(const Queue& queue, int count) {
  if (queue.lanes == nullptr) return;
  Lanes& lanes = *queue.lanes;
  while (lane_count(queue) < count) {
    Queue lane = create_cuda_queue(queue.ordinal);
    destroy_lanes(lane.lanes);
    lane.lanes = nullptr;
    lanes.queues.push_back(lane);
  }
  while (!lanes.queues.empty() && lanes.events.size() < Lanes::most_events) {
    lanes.events.push_back(create_event(queue));
  }
}

int lane_count(const Queue& queue) {
  return queue.lanes == nullptr ? 1 : 1 + static_cast<int>(queue.lanes->queues.size());
}

Lanes* create_lanes() { return std::make_unique<Lanes>().release(); }

void destroy_lanes(Lanes* lanes) noexcept {
  const std::unique_ptr<Lanes> owned(lanes);
  if (owned == nullptr) return;
  for (void* const event : owned->events) destroy_event(event);
  for (Queue& queue : owned->queues) destroy_cuda_queue(queue);
}

}  // namespace sluice
