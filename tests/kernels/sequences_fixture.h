// A ragged batch on a device, for tests of the kernels that read one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/base/sequences.h"
#include "tests/kernels/test_device.h"

namespace sluice::test {

/// Owns the arrays of kernels/base/sequences.h for rows of these lengths, which need not be sorted.
class SequencesOnDevice {
 public:
  SequencesOnDevice(const Queue& queue, const std::vector<std::int32_t>& given_lengths)
      : order_(sorted_order(given_lengths)),
        lengths_(order_),
        offsets_(1, 0),
        lengths_memory_(queue, given_lengths.size() * 4),
        order_memory_(queue, order_),
        offsets_memory_(queue, (*std::max_element(given_lengths.begin(), given_lengths.end()) + 1) *
                                   sizeof(std::int32_t)),
        step_memory_(queue,
                     std::accumulate(given_lengths.begin(), given_lengths.end(), std::size_t{0}) *
                         sizeof(std::int32_t)) {
    for (std::int32_t& length : lengths_) length = given_lengths[length];
    for (std::int32_t t = 0; t < lengths_[0]; ++t) {
      for (const std::int32_t length : lengths_) {
        if (length > t) steps_.push_back(t);
      }
      offsets_.push_back(static_cast<std::int32_t>(steps_.size()));
    }
    lengths_memory_.put(lengths_);
    offsets_memory_.put(offsets_);
    step_memory_.put(steps_);
  }

  Sequences view() const {
    Sequences view;
    view.steps = lengths_[0];
    view.batch = static_cast<std::int32_t>(lengths_.size());
    view.rows = static_cast<std::int64_t>(steps_.size());
    view.equal_lengths = lengths_.front() == lengths_.back();
    view.sorted_as_given = std::is_sorted(order_.begin(), order_.end());
    view.host_offsets = offsets_.data();
    view.offsets = static_cast<const std::int32_t*>(offsets_memory_.data());
    view.lengths = static_cast<const std::int32_t*>(lengths_memory_.data());
    view.order = static_cast<const std::int32_t*>(order_memory_.data());
    view.step_of_row = static_cast<const std::int32_t*>(step_memory_.data());
    return view;
  }

  std::int64_t batch() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t rows() const { return static_cast<std::int64_t>(steps_.size()); }
  const std::vector<std::int32_t>& lengths() const { return lengths_; }  ///< sorted, falling
  const std::vector<std::int32_t>& order() const { return order_; }
  /// The packed row of step t of sorted row r.
  std::int64_t packed_row(std::int64_t r, std::int64_t t) const { return offsets_[t] + r; }

 private:
  static std::vector<std::int32_t> sorted_order(const std::vector<std::int32_t>& lengths) {
    std::vector<std::int32_t> order(lengths.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return lengths[a] > lengths[b]; });
    return order;
  }

  std::vector<std::int32_t> order_, lengths_, offsets_, steps_;
  GuardedBuffer lengths_memory_, order_memory_, offsets_memory_, step_memory_;
};

}  // namespace sluice::test
