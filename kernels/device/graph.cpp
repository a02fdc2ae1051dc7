#include "kernels/device/graph.h"

#include "kernels/base/error.h"

namespace sluice {

#ifdef SLUICE_WITH_CUDA

bool can_record(const Queue& queue) noexcept { return queue.device == DeviceKind::cuda; }

#else

bool can_record(const Queue&) noexcept { return false; }

#endif

namespace {

void require_recordable(const Queue& queue) {
  require(can_record(queue),
          "graph: a CPU queue's work is done when a call returns and cannot be recorded; "
          "ask can_record() first");
}

}  // namespace

void begin_recording(const Queue& queue) {
  require_recordable(queue);
#ifdef SLUICE_WITH_CUDA
  cuda::begin_recording(queue);
#endif
}

bool end_recording(const Queue& queue, [[maybe_unused]] void*& graph) {
  require_recordable(queue);
#ifdef SLUICE_WITH_CUDA
  return cuda::end_recording(queue, graph);
#else
  return false;
#endif
}

void drop_recording([[maybe_unused]] const Queue& queue) noexcept {
#ifdef SLUICE_WITH_CUDA
  if (can_record(queue)) cuda::drop_recording(queue);
#endif
}

void launch_graph(const Queue& queue, [[maybe_unused]] void* graph) {
  require_recordable(queue);
#ifdef SLUICE_WITH_CUDA
  cuda::launch_graph(queue, graph);
#endif
}

void destroy_graph([[maybe_unused]] void* graph) noexcept {
#ifdef SLUICE_WITH_CUDA
  if (graph != nullptr) cuda::destroy_graph(graph);
#endif
}

}  // namespace sluice
