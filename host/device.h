// The owner of what a queue borrows: the CPU's threads, or a CUDA stream with its handles.
#pragma once

#include <memory>
#include <string>

#include "kernels/base/queue.h"
#include "kernels/device/thread_pool.h"

namespace sluice {

/// A place to compute on. Move-only; everything made on its queue must go before it.
class Device {
 public:
  /// `name`: "cpu", "cuda" (device 0), "cuda:N", or "auto" (CUDA where it can be used, else the
  /// CPU). `threads`: the CPU's threads, 0 for one per processor this process may use.
  /// Errors: usage for another name, for a negative number of threads, and for "cuda" where no
  /// such device can be used: the message says what is missing.
  static Device open(const std::string& name, int threads = 0);

  ~Device();
  Device(Device&& other) noexcept;
  Device& operator=(Device&& other) noexcept;

  const Queue& queue() const noexcept { return queue_; }
  DeviceKind kind() const noexcept { return queue_.device; }
  /// "cpu" or "cuda:N".
  std::string name() const;
  /// For people: "CPU, 2 threads" or "NVIDIA H200 (cuda:0)".
  const std::string& description() const noexcept { return description_; }
  /// Whether its products take bfloat16: the CPU, and GPUs of compute capability 8.0 and later.
  bool has_bfloat16() const noexcept { return has_bfloat16_; }
  /// Why "auto" came out as the CPU; empty otherwise.
  const std::string& notice() const noexcept { return notice_; }

 private:
  Device() = default;
  static Device open_cpu(int threads);
  static Device open_cuda(int ordinal);

  std::unique_ptr<ThreadPool> threads_;
  Queue queue_;
  bool has_bfloat16_ = true;
  std::string description_;
  std::string notice_;
};

}  // namespace sluice
