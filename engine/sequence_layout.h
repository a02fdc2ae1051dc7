// Turns the lengths of a batch into the packed, time-major arrangement the engine runs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"

namespace sluice {

/// Owns the host copy of the arrangement of one batch (see kernels/base/sequences.h). Rows are
/// sorted by falling length; rows of equal length keep their order.
class SequenceLayout {
 public:
  SequenceLayout() = default;

  /// All `batch` rows have `steps` steps. Errors: usage unless both are positive.
  static SequenceLayout equal(std::int32_t steps, std::int32_t batch);

  /// Errors: usage when `lengths` is empty or one is below 1.
  explicit SequenceLayout(const std::vector<std::int32_t>& lengths);

  std::int32_t steps() const { return view_.steps; }
  std::int32_t batch() const { return view_.batch; }
  std::int64_t rows() const { return view_.rows; }
  const std::vector<std::int32_t>& order() const { return order_; }      ///< [B]
  const std::vector<std::int32_t>& offsets() const { return offsets_; }  ///< [T+1]
  const std::vector<std::int32_t>& lengths() const { return lengths_; }  ///< [B], falling

  /// The view for a CPU queue; valid while this object lives and is not moved.
  Sequences host_view() const;

  /// Bytes of device memory that upload() fills, for at most `rows`, `steps` and `batch`.
  static std::size_t device_bytes(std::int64_t rows, std::int32_t steps, std::int32_t batch);

  /// Copies the arrays to `memory` (device_bytes) and gives the view on them. On a CPU queue it
  /// copies nothing and returns host_view(). This object must outlive the launches.
  Sequences upload(const Queue& queue, void* memory) const;

  /// The same in two halves, for callers that copy themselves: device_bytes() of numbers for the
  /// device, and the view on them once they are at `memory` there.
  void write_to(std::int32_t* numbers) const;
  Sequences view_at(const void* memory) const;

 private:
  Sequences view_;
  std::vector<std::int32_t> lengths_, order_, offsets_, step_of_row_;
};

}  // namespace sluice
