// Divides one piece of memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

/// Hands out parts of a piece of memory in order, each a multiple of 256 bytes from its base. With
/// a null base it only counts, so that a size query and a pass walk the same code.
class Carver {
 public:
  explicit Carver(void* base) : base_(static_cast<unsigned char*>(base)) {}

  /// From here on parts are 256-byte aligned, wherever the base lies. Not for memory that moves
  /// between passes.
  void align() {
    if (base_ != nullptr) base_ += (256 - reinterpret_cast<std::uintptr_t>(base_) % 256) % 256;
    used_ += 256;
  }

  void* take(std::size_t bytes) {
    void* part = base_;
    const std::size_t size = (bytes + 255) / 256 * 256;
    if (base_ != nullptr) base_ += size;
    used_ += size;
    return part;
  }
  std::size_t used() const { return used_; }

 private:
  unsigned char* base_;  // of the next part
  std::size_t used_ = 0;
};

}  // namespace sluice
