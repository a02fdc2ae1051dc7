// Streams and events through the CUDA runtime.
#include "kernels/device/side_stream.h"

#include "kernels/device/cuda_check.h"

namespace sluice::cuda {
namespace {

cudaStream_t stream_of(const Queue& queue) { return static_cast<cudaStream_t>(queue.stream); }

}  // namespace

Queue create_side_queue(const Queue& queue) {
  check(cudaSetDevice(queue.ordinal), "making the queue's device current");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream for copies");
  Queue side = queue;
  side.stream = stream;
  side.blas = nullptr;
  return side;
}

void destroy_side_queue(Queue& side) noexcept {
  if (side.stream == nullptr) return;
  static_cast<void>(cudaSetDevice(side.ordinal));
  static_cast<void>(cudaStreamSynchronize(stream_of(side)));
  static_cast<void>(cudaStreamDestroy(stream_of(side)));
}

void* create_event(const Queue& queue) {
  check(cudaSetDevice(queue.ordinal), "making the queue's device current");
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event");
  return event;
}

void destroy_event(void* event) noexcept {
  static_cast<void>(cudaEventDestroy(static_cast<cudaEvent_t>(event)));
}

void record_event(const Queue& queue, void* event) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(event), stream_of(queue)), "recording an event");
}

void wait_for_event(const Queue& queue, void* event) {
  check(cudaStreamWaitEvent(stream_of(queue), static_cast<cudaEvent_t>(event), 0),
        "waiting for an event");
}

void synchronize_event(void* event) {
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(event)), "waiting for the device's copies");
}

}  // namespace sluice::cuda
