// Inputs that are never still in the cache when their turn comes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/buffer.h"
#include "kernels/base/types.h"

namespace sluice::bench {

/// Random numbers on a device, of which each pass takes the next piece: two stretches, each longer
/// than the last cache.
class InputRing {
 public:
  /// `cache_bytes`: of the device's last cache, 0 if unknown. `queue`'s Device must outlive the
  /// ring.
  InputRing(const Queue& queue, std::size_t cache_bytes);

  /// Makes sure that two pieces of `elements` fit. Pieces given before are void if it grows.
  void reserve(DataType type, std::int64_t elements);

  /// The piece of pass `pass`, 64-byte aligned; pass 0 is the stream's beginning.
  const void* piece(std::int64_t elements, std::uint64_t pass) const;

  /// A second piece, which does not overlap that one: pass 0 begins at number second_begin().
  const void* second_piece(std::int64_t elements, std::uint64_t pass) const;
  std::int64_t second_begin() const { return numbers_ / 2; }

  std::size_t bytes() const { return memory_.bytes(); }

 private:
  const void* at(std::int64_t begin, std::int64_t elements, std::uint64_t pass) const;

  Queue queue_;
  std::size_t cache_bytes_;
  Buffer memory_;
  DataType type_ = DataType::float32;
  std::int64_t numbers_ = 0;
};

/// Converts to `type` and copies to the device; blocks until done.
void upload_numbers(const Queue& queue, void* device, DataType type, const float* numbers,
                    std::int64_t count);
/// The other way.
void download_numbers(const Queue& queue, float* numbers, DataType type, const void* device,
                      std::int64_t count);

}  // namespace sluice::bench
