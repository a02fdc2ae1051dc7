// Whole training steps as CUDA graphs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/queue.h"

namespace sluice {

/// Keeps a graph for each T and B, of so many at most; the one that was not used for the longest
/// goes first. A step of a new T and B runs plainly, the second is recorded, and from then on it is
/// launched again: as it is where nothing differs that launches depend on, else recorded anew into
/// the same graph. Making graphs costs more than it saves where no two batches' launches are alike:
/// after some such steps of a T and B they run plainly again. On the CPU every step runs plainly.
///
/// A T and B whose recording fails runs plainly from then on, and problem() says why; others are
/// recorded all the same. After some failures in a row no more are tried, since each costs the host
/// a step's work; graphs that are there go on.
class StepGraphs {
 public:
  /// The Device of `queue` must outlive it. `most` 0 switches graphs off.
  StepGraphs(const Queue& queue, std::size_t most);
  ~StepGraphs();
  StepGraphs(const StepGraphs&) = delete;
  StepGraphs& operator=(const StepGraphs&) = delete;

  /// Does `work`, which enqueues the same launches whenever `signature` is the same.
  void run(std::int32_t steps, std::int32_t batch, std::vector<std::int64_t> signature,
           const std::function<void()>& work);

  /// What became of the steps so far.
  struct Counts {
    std::int64_t plain = 0;     ///< without a graph
    std::int64_t recorded = 0;  ///< into a graph, then launched
    std::int64_t repeated = 0;  ///< launched as it was
  };
  const Counts& counts() const { return counts_; }
  /// For people: what could not be recorded since the last call, and what follows; empty if all
  /// could, or for a reason that was told before.
  std::string take_problem();

 private:
  using Shape = std::pair<std::int32_t, std::int32_t>;  // T and B

  struct Entry {
    void* graph = nullptr;
    std::vector<std::int64_t> signature;
    std::int64_t last_used = 0;
    int made = 0;  ///< graphs since one was repeated or took other arguments
  };

  bool record(const Shape& shape, Entry& entry, const std::function<void()>& work);
  void give_up(const Shape& shape, const std::string& reason);
  Entry& entry_for(const Shape& shape);

  Queue queue_;
  std::size_t most_;
  std::map<Shape, Entry> entries_;
  std::set<Shape> given_up_;
  std::set<std::string> reasons_;  // told
  int failures_in_a_row_ = 0;
  bool records_ = true;  ///< false after too many of them
  std::int64_t clock_ = 0;
  Counts counts_;
  std::string problem_;
};

}  // namespace sluice
