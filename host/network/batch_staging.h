// The way of a batch's numbers to a GPU beside the work that is under way there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/buffer.h"
#include "kernels/base/queue.h"

namespace sluice {

/// A batch is put together in pinned memory, copied on a stream of its own, and moved on the device
/// to where the launches read it, once what came before on the queue is done. So a batch travels
/// while the step before still runs. Several are under way at once; the host waits when it is
/// that many ahead. For CUDA queues.
class BatchStaging {
 public:
  /// The Device of `queue` must outlive it.
  explicit BatchStaging(const Queue& queue);
  ~BatchStaging();
  BatchStaging(const BatchStaging&) = delete;
  BatchStaging& operator=(const BatchStaging&) = delete;

  /// Room for batches of `numbers`; waits for the device where there was less.
  void reserve(std::size_t numbers);

  /// Begins a batch of at most what was reserved.
  void begin();
  /// Room for `count` numbers of the batch, to be filled before send(); `device` gets the address
  /// at which launches after send() find them. It depends on the counts asked for alone, until
  /// reserve() makes more room.
  std::int32_t* take(std::size_t count, const std::int32_t*& device);
  const std::int32_t* put(const std::vector<std::int32_t>& values);
  const float* put(const std::vector<float>& values);
  void send();

  std::size_t bytes() const;

 private:
  struct Slot {
    std::int32_t* pinned = nullptr;
    Buffer device;
    void* copied = nullptr;  // event: pinned memory may be written again
    void* moved = nullptr;   // event: device memory may be written again
  };
  static constexpr std::size_t slots = 3;

  void release_pinned_memory() noexcept;

  Queue queue_, side_;
  Slot slots_[slots];
  Buffer current_;            // where launches read
  std::size_t capacity_ = 0;  // numbers
  std::size_t slot_ = 0, used_ = 0;
};

}  // namespace sluice
