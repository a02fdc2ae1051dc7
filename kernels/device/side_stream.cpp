#include "kernels/device/side_stream.h"

namespace sluice {

#ifdef SLUICE_WITH_CUDA

Queue create_side_queue(const Queue& queue) {
  return queue.device == DeviceKind::cuda ? cuda::create_side_queue(queue) : queue;
}
void destroy_side_queue(Queue& side) noexcept {
  if (side.device == DeviceKind::cuda) cuda::destroy_side_queue(side);
  side = Queue();
}
void* create_event(const Queue& queue) {
  return queue.device == DeviceKind::cuda ? cuda::create_event(queue) : nullptr;
}
void destroy_event(void* event) noexcept {
  if (event != nullptr) cuda::destroy_event(event);
}
void record_event(const Queue& queue, void* event) {
  if (event != nullptr) cuda::record_event(queue, event);
}
void wait_for_event(const Queue& queue, void* event) {
  if (event != nullptr) cuda::wait_for_event(queue, event);
}
void synchronize_event(void* event) {
  if (event != nullptr) cuda::synchronize_event(event);
}

#else

Queue create_side_queue(const Queue& queue) { return queue; }
void destroy_side_queue(Queue& side) noexcept { side = Queue(); }
void* create_event(const Queue&) { return nullptr; }
void destroy_event(void*) noexcept {}
void record_event(const Queue&, void*) {}
void wait_for_event(const Queue&, void*) {}
void synchronize_event(void*) {}

#endif

}  // namespace sluice
