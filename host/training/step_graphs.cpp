#include "host/training/step_graphs.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/graph.h"

namespace sluice {
namespace {

constexpr int most_made_in_vain = 4;

}  // namespace

StepGraphs::StepGraphs(const Queue& queue, std::size_t most)
    : queue_(queue), most_(can_record(queue) ? most : 0) {}

StepGraphs::~StepGraphs() {
  for (auto& [shape, entry] : entries_) destroy_graph(entry.graph);
}

StepGraphs::Entry& StepGraphs::entry_for(std::pair<std::int32_t, std::int32_t> shape) {
  if (entries_.size() >= most_ && entries_.count(shape) == 0) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.last_used < b.second.last_used;
    });
    destroy_graph(oldest->second.graph);
    entries_.erase(oldest);
  }
  Entry& entry = entries_[shape];
  entry.last_used = ++clock_;
  return entry;
}

// False where the work cannot be recorded; nothing of it has run then.
bool StepGraphs::record(Entry& entry, const std::function<void()>& work) {
  bool recording = false;
  try {
    begin_recording(queue_);
    recording = true;
    work();
    recording = false;
    entry.made = end_recording(queue_, entry.graph) ? entry.made + 1 : 0;
    return true;
  } catch (const Error& error) {
    if (recording) drop_recording(queue_);
    problem_ = error.what();
    most_ = 0;
    return false;
  }
}

void StepGraphs::run(std::int32_t steps, std::int32_t batch, std::vector<std::int64_t> signature,
                     const std::function<void()>& work) {
  if (most_ == 0) {
    ++counts_.plain;
    return work();
  }
  Entry& entry = entry_for({steps, batch});
  if (entry.signature.empty()) {  // so that what is made at the first use is there when it is recorded
    entry.signature = std::move(signature);
    ++counts_.plain;
    return work();
  }
  if (entry.graph != nullptr && entry.signature == signature) {
    ++counts_.repeated;
    entry.made = 0;
    return launch_graph(queue_, entry.graph);
  }
  if (entry.made >= most_made_in_vain || !record(entry, work)) {
    ++counts_.plain;
    return work();
  }
  entry.signature = std::move(signature);
  ++counts_.recorded;
  launch_graph(queue_, entry.graph);
}

}  // namespace sluice
