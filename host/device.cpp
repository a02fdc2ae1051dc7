#include "host/device.h"

#include <charconv>
#include <utility>

#include "kernels/base/error.h"
#include "kernels/device/device.h"

namespace sluice {

Device Device::open_cpu(int threads) {
  Device device;
  device.threads_ = std::make_unique<ThreadPool>(threads);
  device.queue_.threads = device.threads_.get();
  const int size = device.threads_->size();
  device.description_ = "CPU, " + std::to_string(size) + (size == 1 ? " thread" : " threads");
  return device;
}

Device Device::open_cuda(int ordinal) {
  const CudaDevices found = cuda_devices();
  require(found.problem.empty(), "device cuda cannot be used: " + found.problem +
                                     "; use --device cpu, or --device auto to take what is there");
  require(ordinal < static_cast<int>(found.devices.size()),
          "device cuda:" + std::to_string(ordinal) + " does not exist: this machine has " +
              std::to_string(found.devices.size()) + " usable CUDA device(s), numbered from 0");
  Device device;
  device.queue_ = create_cuda_queue(found.devices[ordinal].ordinal);
  device.has_bfloat16_ = found.devices[ordinal].major >= 8;
  device.description_ = found.devices[ordinal].name + " (cuda:" + std::to_string(ordinal) + ")";
  return device;
}

Device Device::open(const std::string& name, int threads) {
  require(threads >= 0,
          "threads must be 0 (one per processor) or more, got " + std::to_string(threads));
  if (name == "cpu") return open_cpu(threads);
  if (name == "auto") {
    const CudaDevices found = cuda_devices();
    if (found.problem.empty() && !found.devices.empty()) return open_cuda(0);
    Device device = open_cpu(threads);
    device.notice_ = "running on the CPU: " + (found.problem.empty() ? "no device" : found.problem);
    return device;
  }
  if (name == "cuda") return open_cuda(0);
  if (name.rfind("cuda:", 0) == 0) {
    int ordinal = -1;
    const char* end = name.data() + name.size();
    const auto [rest, failed] = std::from_chars(name.data() + 5, end, ordinal);
    if (failed == std::errc() && rest == end && ordinal >= 0) return open_cuda(ordinal);
  }
  throw Error::usage("device must be auto, cpu, cuda or cuda:N, got '" + name + "'");
}

Device::~Device() {
  if (queue_.device == DeviceKind::cuda && queue_.stream != nullptr) destroy_cuda_queue(queue_);
}

Device::Device(Device&& other) noexcept
    : threads_(std::move(other.threads_)),
      queue_(std::exchange(other.queue_, Queue{})),
      has_bfloat16_(other.has_bfloat16_),
      description_(std::move(other.description_)),
      notice_(std::move(other.notice_)) {}

Device& Device::operator=(Device&& other) noexcept {
  std::swap(threads_, other.threads_);
  std::swap(queue_, other.queue_);
  std::swap(has_bfloat16_, other.has_bfloat16_);
  std::swap(description_, other.description_);
  std::swap(notice_, other.notice_);
  return *this;
}

std::string Device::name() const {
  return kind() == DeviceKind::cuda ? "cuda:" + std::to_string(queue_.ordinal) : "cpu";
}

}  // namespace sluice
