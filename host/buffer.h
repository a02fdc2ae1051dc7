// The one owner of device memory.
#pragma once

#include <cstddef>
#include <utility>

#include "kernels/base/queue.h"
#include "kernels/device/device.h"

namespace sluice {

/// Device memory of one queue, 256-byte aligned, uninitialised. Move-only; the queue's Device must
/// outlive it.
class Buffer {
 public:
  Buffer() = default;
  /// Errors: runtime when the device has not that much memory left.
  Buffer(const Queue& queue, std::size_t bytes)
      : queue_(queue), data_(allocate(queue, bytes)), bytes_(bytes) {}
  ~Buffer() { reset(); }

  Buffer(Buffer&& other) noexcept
      : queue_(other.queue_),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      queue_ = other.queue_;
      data_ = std::exchange(other.data_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }

  void* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }

  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(data_);
  }

  /// Makes room for `bytes`: nothing happens when there is enough, and the contents are lost when
  /// there is not.
  void reserve(const Queue& queue, std::size_t bytes) {
    if (bytes <= bytes_) return;
    reset();
    *this = Buffer(queue, bytes);
  }

 private:
  void reset() noexcept {
    if (data_ != nullptr) release(queue_, data_);
    data_ = nullptr;
    bytes_ = 0;
  }

  Queue queue_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace sluice
