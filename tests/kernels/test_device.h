// A device to run a test on, and memory there that notices stray accesses.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/queue.h"
#include "kernels/device/device.h"
#include "kernels/device/parallel_for.h"

namespace sluice::test {

inline std::string name_of(DeviceKind kind) { return kind == DeviceKind::cuda ? "cuda" : "cpu"; }

/// Why a test for `kind` cannot run on this machine; empty if it can.
inline std::string why_unavailable(DeviceKind kind) {
  return kind == DeviceKind::cuda ? cuda_devices().problem : std::string();
}

/// Whether a product on `kind` gives a row the same bits whatever other rows there are, if asked to
/// (GemmArgs::rows_apart): the CPU's does, cuBLAS does not promise it, and the imagined GPU's adds
/// up number after number.
inline bool has_rows_apart(DeviceKind kind) {
#ifdef SLUICE_IMAGINED_GPU
  static_cast<void>(kind);
  return true;
#else
  return kind == DeviceKind::cpu;
#endif
}

inline constexpr int no_pool = -1;

/// Owns a queue: a team of `threads` on the CPU, or no_pool for none; a stream on the first GPU.
class TestDevice {
 public:
  explicit TestDevice(DeviceKind kind, int threads = 1) {
    if (kind == DeviceKind::cuda) {
      queue_ = create_cuda_queue(0);
    } else if (threads != no_pool) {
      threads_ = std::make_unique<ThreadPool>(threads);
      queue_.threads = threads_.get();
    }
  }
  ~TestDevice() {
    if (queue_.device == DeviceKind::cuda) destroy_cuda_queue(queue_);
  }
  TestDevice(const TestDevice&) = delete;
  TestDevice& operator=(const TestDevice&) = delete;

  const Queue& queue() const { return queue_; }

 private:
  std::unique_ptr<ThreadPool> threads_;
  Queue queue_;
};

/// `bytes` of device memory between two guard zones. Every byte starts as 0xFF: a NaN of float and
/// of double, -1 of an integer, so that what is read before it was written, or beyond an end,
/// shows in the results, and what is written beyond an end shows in the guards.
class GuardedBuffer {
 public:
  GuardedBuffer(const Queue& queue, std::size_t bytes) : queue_(queue), bytes_(bytes) {
    base_ = static_cast<unsigned char*>(allocate(queue, bytes + 2 * guard));
    poison();
  }
  template <class Number>
  GuardedBuffer(const Queue& queue, const std::vector<Number>& values)
      : GuardedBuffer(queue, values.size() * sizeof(Number)) {
    put(values);
  }
  ~GuardedBuffer() { release(queue_, base_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  void* data() const { return base_ + guard; }
  std::size_t bytes() const { return bytes_; }

  void poison() {
    const std::vector<unsigned char> ones(bytes_ + 2 * guard, 0xFF);
    upload(queue_, base_, ones.data(), ones.size());
    synchronize(queue_);
  }

  template <class Number>
  void put(const std::vector<Number>& values) {
    upload(queue_, data(), values.data(), values.size() * sizeof(Number));
    synchronize(queue_);
  }

  template <class Number>
  std::vector<Number> get() const {
    std::vector<Number> values(bytes_ / sizeof(Number));
    download(queue_, values.data(), data(), values.size() * sizeof(Number));
    synchronize(queue_);
    return values;
  }

  bool guards_intact() const {
    std::vector<unsigned char> all(bytes_ + 2 * guard);
    download(queue_, all.data(), base_, all.size());
    synchronize(queue_);
    for (std::size_t i = 0; i < guard; ++i) {
      if (all[i] != 0xFF || all[guard + bytes_ + i] != 0xFF) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t guard = 256;  // keeps the alignment that allocate() promises

  Queue queue_;
  std::size_t bytes_;
  unsigned char* base_;
};

}  // namespace sluice::test
