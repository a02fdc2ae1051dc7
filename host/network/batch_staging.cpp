#include "host/network/batch_staging.h"

#include <algorithm>
#include <cstring>

#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/side_stream.h"

namespace sluice {

BatchStaging::BatchStaging(const Queue& queue) : queue_(queue), side_(create_side_queue(queue)) {
  for (Slot& slot : slots_) {
    slot.copied = create_event(queue);
    slot.moved = create_event(queue);
  }
}

BatchStaging::~BatchStaging() {
  destroy_side_queue(side_);  // after its copies
  for (Slot& slot : slots_) {
    destroy_event(slot.copied);
    destroy_event(slot.moved);
  }
  release_pinned_memory();
}

void BatchStaging::release_pinned_memory() noexcept {
  for (Slot& slot : slots_) {
    release_pinned(queue_, slot.pinned);
    slot.pinned = nullptr;
  }
}

void BatchStaging::reserve(std::size_t numbers) {
  if (numbers <= capacity_) return;
  synchronize(side_);
  synchronize(queue_);
  capacity_ = 0;
  release_pinned_memory();
  const std::size_t size = numbers * sizeof(std::int32_t);
  for (Slot& slot : slots_) {
    slot.pinned = static_cast<std::int32_t*>(allocate_pinned(queue_, size));
    slot.device.reserve(queue_, size);
  }
  current_.reserve(queue_, size);
  synchronize(queue_);  // memory of the queue's pool is for the other stream from here on
  capacity_ = numbers;
}

void BatchStaging::begin() {
  slot_ = (slot_ + 1) % slots;
  used_ = 0;
  synchronize_event(slots_[slot_].copied);
}

std::int32_t* BatchStaging::take(std::size_t count, const std::int32_t*& device) {
  require(used_ + count <= capacity_, "BatchStaging: reserved for " + std::to_string(capacity_) +
                                          " numbers, a batch has more; reserve() room first");
  std::int32_t* const place = slots_[slot_].pinned + used_;
  device = current_.as<std::int32_t>() + used_;
  used_ += count;
  return place;
}

const std::int32_t* BatchStaging::put(const std::vector<std::int32_t>& values) {
  const std::int32_t* device = nullptr;
  std::copy(values.begin(), values.end(), take(values.size(), device));
  return device;
}

const float* BatchStaging::put(const std::vector<float>& values) {
  const std::int32_t* device = nullptr;
  std::memcpy(take(values.size(), device), values.data(), values.size() * sizeof(float));
  return reinterpret_cast<const float*>(device);
}

void BatchStaging::send() {
  Slot& slot = slots_[slot_];
  const std::size_t size = used_ * sizeof(std::int32_t);
  wait_for_event(side_, slot.moved);
  upload(side_, slot.device.data(), slot.pinned, size);
  record_event(side_, slot.copied);
  wait_for_event(queue_, slot.copied);
  copy(queue_, current_.data(), slot.device.data(), size);
  record_event(queue_, slot.moved);
}

std::size_t BatchStaging::bytes() const {
  std::size_t total = current_.bytes();
  for (const Slot& slot : slots_) total += slot.device.bytes();
  return total;
}

}  // namespace sluice
