#include "engine/sequence_layout.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "kernels/base/error.h"
#include "kernels/device/device.h"

namespace sluice {

SequenceLayout SequenceLayout::equal(std::int32_t steps, std::int32_t batch) {
  require(steps > 0, "steps: expected a positive number, got " + std::to_string(steps));
  require(batch > 0, "batch: expected a positive number, got " + std::to_string(batch));
  return SequenceLayout(std::vector<std::int32_t>(static_cast<std::size_t>(batch), steps));
}

SequenceLayout::SequenceLayout(const std::vector<std::int32_t>& lengths) {
  require(!lengths.empty(), "lengths: expected at least one row, got none");
  const auto batch = static_cast<std::int32_t>(lengths.size());
  for (std::int32_t b = 0; b < batch; ++b) {
    require(lengths[b] >= 1, "lengths[" + std::to_string(b) + "]: expected at least 1, got " +
                                 std::to_string(lengths[b]) +
                                 "; leave out empty rows or give them one padding step");
  }
  order_.resize(batch);
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::int32_t a, std::int32_t b) { return lengths[a] > lengths[b]; });
  lengths_.resize(batch);
  for (std::int32_t r = 0; r < batch; ++r) lengths_[r] = lengths[order_[r]];

  view_.steps = lengths_.front();
  view_.batch = batch;
  view_.equal_lengths = lengths_.front() == lengths_.back();
  view_.sorted_as_given = std::is_sorted(order_.begin(), order_.end());
  std::int64_t rows = 0;
  for (const std::int32_t length : lengths_) rows += length;
  require(rows <= INT32_MAX, "lengths: their sum is " + std::to_string(rows) +
                                 ", expected at most 2147483647; use smaller batches");
  view_.rows = rows;

  offsets_.reserve(static_cast<std::size_t>(view_.steps) + 1);
  step_of_row_.resize(static_cast<std::size_t>(rows));
  std::int32_t offset = 0, alive = batch;
  for (std::int32_t t = 0; t < view_.steps; ++t) {
    offsets_.push_back(offset);
    while (lengths_[alive - 1] <= t) --alive;
    std::fill_n(step_of_row_.begin() + offset, alive, t);
    offset += alive;
  }
  offsets_.push_back(offset);
}

Sequences SequenceLayout::host_view() const {
  Sequences view = view_;
  view.host_offsets = offsets_.data();
  view.offsets = offsets_.data();
  view.lengths = lengths_.data();
  view.order = order_.data();
  view.step_of_row = step_of_row_.data();
  return view;
}

std::size_t SequenceLayout::device_bytes(std::int64_t rows, std::int32_t steps,
                                         std::int32_t batch) {
  return sizeof(std::int32_t) * (static_cast<std::size_t>(rows) + static_cast<std::size_t>(steps) +
                                 1 + 2 * static_cast<std::size_t>(batch));
}

void SequenceLayout::write_to(std::int32_t* numbers) const {
  for (const std::vector<std::int32_t>* values : {&offsets_, &lengths_, &order_, &step_of_row_}) {
    numbers = std::copy(values->begin(), values->end(), numbers);
  }
}

Sequences SequenceLayout::view_at(const void* memory) const {
  Sequences view = host_view();
  const auto* next = static_cast<const std::int32_t*>(memory);
  const auto take = [&](const std::vector<std::int32_t>& values) {
    const std::int32_t* const place = next;
    next += values.size();
    return place;
  };
  view.offsets = take(offsets_);
  view.lengths = take(lengths_);
  view.order = take(order_);
  view.step_of_row = take(step_of_row_);
  return view;
}

Sequences SequenceLayout::upload(const Queue& queue, void* memory) const {
  if (queue.device == DeviceKind::cpu) return host_view();
  auto* next = static_cast<std::int32_t*>(memory);
  for (const std::vector<std::int32_t>* values : {&offsets_, &lengths_, &order_, &step_of_row_}) {
    sluice::upload(queue, next, values->data(), values->size() * sizeof(std::int32_t));
    next += values->size();
  }
  return view_at(memory);
}

}  // namespace sluice
