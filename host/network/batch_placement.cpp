#include "host/network/batch_placement.h"

namespace sluice {

BatchPlacement::BatchPlacement(const Queue& queue) {
  if (queue.device == DeviceKind::cuda) staging_ = std::make_unique<BatchStaging>(queue);
}

void BatchPlacement::reserve(std::size_t numbers) {
  if (staging_ != nullptr) staging_->reserve(numbers);
}

void BatchPlacement::begin() {
  signature_.clear();
  if (staging_ != nullptr) staging_->begin();
}

void BatchPlacement::send() {
  if (staging_ != nullptr) staging_->send();
}

void BatchPlacement::note(const void* address) {
  signature_.push_back(static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(address)));
}

template <class Number>
Placed<Number> BatchPlacement::put_values(const std::vector<Number>& values) {
  const Placed<Number> placed = {staging_ == nullptr ? values.data() : staging_->put(values),
                                 static_cast<std::int64_t>(values.size())};
  note(placed.data);
  signature_.push_back(placed.count);
  return placed;
}

PlacedNumbers BatchPlacement::put(const std::vector<std::int32_t>& values) {
  return put_values(values);
}

PlacedFrames BatchPlacement::put(const std::vector<float>& values) { return put_values(values); }

std::int64_t BatchPlacement::put(std::int64_t number) {
  signature_.push_back(number);
  return number;
}

Sequences BatchPlacement::put(const SequenceLayout& layout) {
  Sequences placed = layout.host_view();
  if (staging_ != nullptr) {
    const std::size_t bytes =
        SequenceLayout::device_bytes(layout.rows(), layout.steps(), layout.batch());
    const std::int32_t* place = nullptr;
    layout.write_to(staging_->take(bytes / sizeof(std::int32_t), place));
    placed = layout.view_at(place);
  }
  // A name for each field: with a further one this does not compile until it is taken up here.
  const auto& [steps, batch, rows, equal_lengths, sorted_as_given, host_offsets, offsets, lengths,
               order, step_of_row] = placed;
  signature_.insert(signature_.end(), {steps, batch, rows, equal_lengths, sorted_as_given});
  signature_.insert(signature_.end(), host_offsets, host_offsets + steps + 1);  // read on the host
  for (const std::int32_t* address : {offsets, lengths, order, step_of_row}) note(address);
  return placed;
}

}  // namespace sluice
