#include "bench/measure/clock.h"

#include <chrono>
#include <ctime>

#include "kernels/device/device.h"

#ifdef SLUICE_WITH_CUDA
#include <cuda_runtime_api.h>

#include "kernels/device/cuda_check.h"
#endif

namespace sluice::bench {

#ifdef SLUICE_WITH_CUDA
struct Clock::Events {
  Events() {
    cuda::check(cudaEventCreate(&begin), "creating an event");
    cuda::check(cudaEventCreate(&end), "creating an event");
  }
  ~Events() {
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
  }
  cudaEvent_t begin = nullptr, end = nullptr;
};
#else
struct Clock::Events {};
#endif

Clock::Clock(const Queue& queue) : queue_(queue) {
  if (queue.device == DeviceKind::cuda) events_ = std::make_unique<Events>();
}

Clock::~Clock() = default;

void Clock::start() {
  synchronize(queue_);
  cpu_ = process_seconds();
  real_ = monotonic_seconds();
#ifdef SLUICE_WITH_CUDA
  if (events_ != nullptr) {
    cuda::check(cudaEventRecord(events_->begin, static_cast<cudaStream_t>(queue_.stream)),
                "recording an event");
  }
#endif
}

Elapsed Clock::stop() {
#ifdef SLUICE_WITH_CUDA
  if (events_ != nullptr) {
    cuda::check(cudaEventRecord(events_->end, static_cast<cudaStream_t>(queue_.stream)),
                "recording an event");
    cuda::check(cudaEventSynchronize(events_->end), "waiting for an event");
    float milliseconds = 0;
    cuda::check(cudaEventElapsedTime(&milliseconds, events_->begin, events_->end),
                "reading the time between events");
    return {milliseconds * 1e-3, process_seconds() - cpu_};
  }
#endif
  return {monotonic_seconds() - real_, process_seconds() - cpu_};
}

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace sluice::bench
