// Passes that are recorded once and launched again as a CUDA graph, as a training step's are.
#pragma once

#include <cstdint>
#include <functional>

#include "kernels/base/queue.h"

namespace sluice::bench {

/// Enqueues pass number `pass`.
using Pass = std::function<void(std::uint64_t pass)>;

/// Some consecutive passes in one graph.
class RecordedPasses {
 public:
  /// Records passes [first, first + count); ready() is false where they cannot be recorded, of
  /// which nothing has run then. The Device of `queue` must outlive this.
  RecordedPasses(const Queue& queue, const Pass& pass, std::uint64_t first, std::int64_t count);
  ~RecordedPasses();
  RecordedPasses(const RecordedPasses&) = delete;
  RecordedPasses& operator=(const RecordedPasses&) = delete;

  bool ready() const { return graph_ != nullptr; }
  std::int64_t count() const { return count_; }
  void launch() const;

 private:
  Queue queue_;
  std::int64_t count_;
  void* graph_ = nullptr;
};

}  // namespace sluice::bench
