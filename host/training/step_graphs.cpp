#include "host/training/step_graphs.h"

#include <algorithm>
#include <utility>

#include "kernels/base/error.h"
#include "kernels/device/graph.h"

namespace sluice {
namespace {

constexpr int most_made_in_vain = 4, most_failures_in_a_row = 4;

}  // namespace

StepGraphs::StepGraphs(const Queue& queue, std::size_t most)
    : queue_(queue), most_(can_record(queue) ? most : 0) {}

StepGraphs::~StepGraphs() {
  for (auto& [shape, entry] : entries_) destroy_graph(entry.graph);
}

std::string StepGraphs::take_problem() { return std::exchange(problem_, ""); }

StepGraphs::Entry& StepGraphs::entry_for(const Shape& shape) {
  if (entries_.size() >= most_ && entries_.count(shape) == 0) {
    const auto oldest = std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.last_used < b.second.last_used; });
    destroy_graph(oldest->second.graph);
    entries_.erase(oldest);
  }
  Entry& entry = entries_[shape];
  entry.last_used = ++clock_;
  return entry;
}

// Its entry is gone then.
void StepGraphs::give_up(const Shape& shape, const std::string& reason) {
  destroy_graph(entries_[shape].graph);
  entries_.erase(shape);
  given_up_.insert(shape);
  records_ = ++failures_in_a_row_ < most_failures_in_a_row;
  if (!reasons_.insert(reason).second && records_) return;
  problem_ = records_
                 ? "steps of " + std::to_string(shape.second) + " rows and " +
                       std::to_string(shape.first) + " time steps"
                 : std::to_string(failures_in_a_row_) +
                       " recordings in a row failed: no more are tried, and steps that have none";
  problem_ += " run without CUDA graphs, since one could not be recorded: " + reason;
}

// False where the work cannot be recorded; nothing of it has run then.
bool StepGraphs::record(const Shape& shape, Entry& entry, const std::function<void()>& work) {
  bool recording = false;
  try {
    begin_recording(queue_);
    recording = true;
    work();
    recording = false;
    entry.made = end_recording(queue_, entry.graph) ? entry.made + 1 : 0;
    failures_in_a_row_ = 0;
    return true;
  } catch (const Error& error) {
    if (recording) drop_recording(queue_);
    give_up(shape, error.what());
    return false;
  } catch (...) {
    if (recording) drop_recording(queue_);
    throw;
  }
}

void StepGraphs::run(std::int32_t steps, std::int32_t batch, std::vector<std::int64_t> signature,
                     const std::function<void()>& work) {
  const Shape shape{steps, batch};
  const auto found = entries_.find(shape);
  if (found != entries_.end() && found->second.graph != nullptr &&
      found->second.signature == signature) {
    Entry& entry = entry_for(shape);
    ++counts_.repeated;
    entry.made = 0;
    return launch_graph(queue_, entry.graph);
  }
  if (most_ == 0 || !records_ || given_up_.count(shape) != 0) {
    ++counts_.plain;
    return work();
  }
  Entry& entry = entry_for(shape);
  if (entry.signature
          .empty()) {  // so that what is made at the first use is there when it is recorded
    entry.signature = std::move(signature);
    ++counts_.plain;
    return work();
  }
  if (entry.made >= most_made_in_vain || !record(shape, entry, work)) {
    ++counts_.plain;
    return work();
  }
  entry.signature = std::move(signature);
  ++counts_.recorded;
  launch_graph(queue_, entry.graph);
}

}  // namespace sluice
