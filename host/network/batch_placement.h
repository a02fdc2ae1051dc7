// A batch where launches can read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/sequence_layout.h"
#include "host/network/batch_staging.h"
#include "kernels/base/queue.h"

namespace sluice {

/// Numbers of a batch as a launch reads them.
struct PlacedNumbers {
  const std::int32_t* data = nullptr;  ///< null: not placed
  std::int64_t count = 0;
};

/// The one way of a batch into a pass: on the CPU its own memory, on CUDA a copy (BatchStaging).
/// What a pass enqueues may depend on its batch by what it got here alone. So all of that is known,
/// and signature() is no list that somebody keeps.
class BatchPlacement {
 public:
  /// The Device of `queue` must outlive it.
  explicit BatchPlacement(const Queue& queue);

  /// Room for batches of so many numbers of 4 bytes.
  void reserve(std::size_t numbers);

  /// A batch from here on, in the same order for every batch; it must live, unchanged, until its
  /// pass is enqueued. After send() launches can read it.
  void begin();
  PlacedNumbers put(const std::vector<std::int32_t>& values);
  Sequences put(const SequenceLayout& layout);
  void send();

  /// Two batches with the same numbers give a pass the same sizes and addresses: it enqueues the
  /// same launches.
  const std::vector<std::int64_t>& signature() const { return signature_; }

  std::size_t bytes() const { return staging_ == nullptr ? 0 : staging_->bytes(); }

 private:
  void note(const void* address);

  std::unique_ptr<BatchStaging> staging_;  // on CUDA
  std::vector<std::int64_t> signature_;
};

}  // namespace sluice
