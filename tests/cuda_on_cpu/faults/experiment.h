// A small kernel in two versions, sound and with one planted fault, and what it must compute.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "kernels/device/launch.h"

namespace cuda_on_cpu::faults {

/// How an experiment notices wrong values.
struct Mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Exactly as much device memory as there are elements; unwritten memory is NaN.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    sluice::cuda::check(cudaMalloc(&memory_, bytes()), "allocating");
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    sluice::cuda::check(
        cudaMemcpyAsync(memory_, values.data(), bytes(), cudaMemcpyHostToDevice, nullptr),
        "copying to the device");
  }
  ~DeviceArray() { static_cast<void>(cudaFree(memory_)); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return static_cast<T*>(memory_); }
  std::vector<T> get() const {
    std::vector<T> values(count_);
    sluice::cuda::check(
        cudaMemcpyAsync(values.data(), memory_, bytes(), cudaMemcpyDeviceToHost, nullptr),
        "copying from the device");
    return values;
  }

 private:
  std::size_t bytes() const { return count_ * sizeof(T); }

  std::size_t count_;
  void* memory_ = nullptr;
};

template <class T>
void expect_equal(const std::vector<T>& got, const std::vector<T>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (got[i] == expected[i]) continue;
    std::ostringstream message;
    message << "wrong value at " << i << ": " << got[i] << " instead of " << expected[i];
    throw Mismatch(message.str());
  }
}

/// first, first + 1, ...
inline std::vector<float> counting(std::size_t count, float first = 0.0f) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i);
  return values;
}

struct Experiment {
  const char* name;
  void (*sound)();
  void (*faulty)();
};
std::vector<Experiment>& experiments();

struct Registration {
  explicit Registration(const Experiment& experiment) { experiments().push_back(experiment); }
};

}  // namespace cuda_on_cpu::faults

/// Opens the definition of an experiment: a function template over `bool faulty`.
#define PLANTED_FAULT(name)                                      \
  template <bool faulty>                                         \
  void name();                                                   \
  const ::cuda_on_cpu::faults::Registration name##_registration( \
      {#name, &name<false>, &name<true>});                       \
  template <bool faulty>                                         \
  void name()
