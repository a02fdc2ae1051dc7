#include "bench/measure/recorded_passes.h"

#include <exception>

#include "kernels/device/graph.h"

namespace sluice::bench {

RecordedPasses::RecordedPasses(const Queue& queue, const Pass& pass, std::uint64_t first,
                               std::int64_t count)
    : queue_(queue), count_(count) {
  if (!can_record(queue)) return;
  bool recording = false;
  try {
    begin_recording(queue);
    recording = true;
    for (std::int64_t i = 0; i < count; ++i) pass(first + static_cast<std::uint64_t>(i));
    recording = false;
    end_recording(queue, graph_);
  } catch (const std::exception&) {  // it runs kernel by kernel then
    if (recording) drop_recording(queue);
  }
}

RecordedPasses::~RecordedPasses() { destroy_graph(graph_); }

void RecordedPasses::launch() const { launch_graph(queue_, graph_); }

}  // namespace sluice::bench
