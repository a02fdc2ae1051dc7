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
template <class Number>
struct Placed {
  const Number* data = nullptr;  ///< null: not placed
  std::int64_t count = 0;
};
using PlacedNumbers = Placed<std::int32_t>;
using PlacedFrames = Placed<float>;

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
  PlacedFrames put(const std::vector<float>& values);
  Sequences put(const SequenceLayout& layout);
  /// A number that launches are given as it is.
  std::int64_t put(std::int64_t number);
  void send();

  /// Two batches with the same numbers give a pass the same sizes and addresses: it enqueues the
  /// same launches.
  const std::vector<std::int64_t>& signature() const { return signature_; }

  std::size_t bytes() const { return staging_ == nullptr ? 0 : staging_->bytes(); }

 private:
  template <class Number>
  Placed<Number> put_values(const std::vector<Number>& values);
  void note(const void* address);

  std::unique_ptr<BatchStaging> staging_;  // on CUDA
  std::vector<std::int64_t> signature_;
};

}  // namespace sluice
