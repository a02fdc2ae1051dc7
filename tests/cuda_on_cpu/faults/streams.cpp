// Faults between streams: work that does not wait for what it reads, in streams and in graphs.
#include "cuda_on_cpu/streams.h"

#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

using sluice::cuda::check;
using sluice::cuda::launch;

constexpr int numbers = 32;

__global__ void add_one(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x] + 1.0f; }

/// While it lives, streams run as late as they may.
class TwoStreams {
 public:
  TwoStreams() {
    set_streams(Streams::late);
    for (cudaStream_t* stream : {&first, &second}) {
      check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "creating a stream");
    }
    for (cudaEvent_t* event : {&forked, &written, &joined}) {
      check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "creating an event");
    }
  }
  ~TwoStreams() {
    set_streams(Streams::at_once);
    static_cast<void>(cudaStreamDestroy(first));
    static_cast<void>(cudaStreamDestroy(second));
    for (const cudaEvent_t event : {forked, written, joined})
      static_cast<void>(cudaEventDestroy(event));
  }

  static void then(cudaStream_t after, cudaEvent_t event, cudaStream_t before) {
    check(cudaEventRecord(event, before), "recording an event");
    check(cudaStreamWaitEvent(after, event, 0), "waiting for an event");
  }

  cudaStream_t first = nullptr, second = nullptr;
  cudaEvent_t forked = nullptr, written = nullptr, joined = nullptr;
};

sluice::cuda::LaunchConfig on(cudaStream_t stream) {
  return {.grid = {1}, .block = {numbers}, .stream = stream};
}

/// y = x + 1 on one stream, z = y + 1 on another.
template <bool faulty>
void enqueue(const TwoStreams& streams, const float* x, float* y, float* z) {
  TwoStreams::then(streams.second, streams.forked, streams.first);
  launch(add_one, on(streams.first), x, y);
  if constexpr (!faulty) TwoStreams::then(streams.second, streams.written, streams.first);
  launch(add_one, on(streams.second), static_cast<const float*>(y), z);
  TwoStreams::then(streams.first, streams.joined, streams.second);
}

PLANTED_FAULT(missing_wait_between_streams) {
  const DeviceArray<float> x(counting(numbers)), y(numbers), z(numbers);
  {
    const TwoStreams streams;
    enqueue<faulty>(streams, x.data(), y.data(), z.data());
    check(cudaStreamSynchronize(streams.first), "waiting for a stream");
  }
  expect_equal(z.get(), counting(numbers, 2.0f));
}

PLANTED_FAULT(missing_edge_in_a_graph) {
  const DeviceArray<float> x(counting(numbers)), y(numbers), z(numbers);
  {
    const TwoStreams streams;
    check(cudaStreamBeginCapture(streams.first, cudaStreamCaptureModeThreadLocal), "recording");
    enqueue<faulty>(streams, x.data(), y.data(), z.data());
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(streams.first, &graph), "recording");
    cudaGraphExec_t ready = nullptr;
    check(cudaGraphInstantiate(&ready, graph, 0), "making a graph ready");
    check(cudaGraphLaunch(ready, streams.first), "launching a graph");
    check(cudaStreamSynchronize(streams.first), "waiting for a stream");
    static_cast<void>(cudaGraphDestroy(graph));
    static_cast<void>(cudaGraphExecDestroy(ready));
  }
  expect_equal(z.get(), counting(numbers, 2.0f));
}

PLANTED_FAULT(stream_that_does_not_join_its_capture) {
  const DeviceArray<float> x(counting(numbers)), y(numbers);
  const TwoStreams streams;
  check(cudaStreamBeginCapture(streams.first, cudaStreamCaptureModeThreadLocal), "recording");
  TwoStreams::then(streams.second, streams.forked, streams.first);
  launch(add_one, on(streams.second), static_cast<const float*>(x.data()), y.data());
  if constexpr (!faulty) TwoStreams::then(streams.first, streams.joined, streams.second);
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(streams.first, &graph), "ending a capture");
  static_cast<void>(cudaGraphDestroy(graph));
}

/// The blocks of two launches wait for each other, each for those of its own; both do not find
/// room.
template <bool faulty>
void enqueue_grids(const TwoStreams& streams, const float* x, float* y, float* z) {
  const auto cooperative = [](cudaStream_t stream) {
    return sluice::cuda::LaunchConfig{
        .grid = {100}, .block = {1}, .stream = stream, .cooperative = true};
  };
  TwoStreams::then(streams.second, streams.forked, streams.first);
  launch(add_one, cooperative(streams.first), x, y);
  if constexpr (!faulty) TwoStreams::then(streams.second, streams.written, streams.first);
  launch(add_one, cooperative(streams.second), x, z);
  TwoStreams::then(streams.first, streams.joined, streams.second);
}

PLANTED_FAULT(two_grids_without_room) {
  const DeviceArray<float> x(counting(numbers)), y(numbers), z(numbers);
  const TwoStreams streams;
  enqueue_grids<faulty>(streams, x.data(), y.data(), z.data());
  check(cudaStreamSynchronize(streams.first), "waiting for a stream");
}

PLANTED_FAULT(two_grids_without_room_in_a_graph) {
  const DeviceArray<float> x(counting(numbers)), y(numbers), z(numbers);
  const TwoStreams streams;
  check(cudaStreamBeginCapture(streams.first, cudaStreamCaptureModeThreadLocal), "recording");
  enqueue_grids<faulty>(streams, x.data(), y.data(), z.data());
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(streams.first, &graph), "recording");
  cudaGraphExec_t ready = nullptr;
  check(cudaGraphInstantiate(&ready, graph, 0), "making a graph ready");
  static_cast<void>(cudaGraphDestroy(graph));
  const cudaError_t launched = cudaGraphLaunch(ready, streams.first);
  const cudaError_t waited = cudaStreamSynchronize(streams.first);
  static_cast<void>(cudaGraphExecDestroy(ready));
  check(launched, "launching a graph");
  check(waited, "waiting for a stream");
}

class PinnedNumbers {
 public:
  PinnedNumbers() {
    check(cudaMallocHost(&memory_, numbers * sizeof(float)), "allocating pinned memory");
  }
  ~PinnedNumbers() { static_cast<void>(cudaFreeHost(memory_)); }
  PinnedNumbers(const PinnedNumbers&) = delete;
  PinnedNumbers& operator=(const PinnedNumbers&) = delete;

  float* data() const { return static_cast<float*>(memory_); }

 private:
  void* memory_ = nullptr;
};

/// A copy from pinned memory reads it when it runs.
PLANTED_FAULT(pinned_memory_used_again_too_early) {
  const PinnedNumbers pinned;
  float* const values = pinned.data();
  const DeviceArray<float> x(numbers);
  {
    const TwoStreams streams;
    for (int i = 0; i < numbers; ++i) values[i] = static_cast<float>(i);
    check(cudaMemcpyAsync(x.data(), values, numbers * sizeof(float), cudaMemcpyHostToDevice,
                          streams.first),
          "copying to the device");
    check(cudaEventRecord(streams.written, streams.first), "recording an event");
    if constexpr (!faulty) check(cudaEventSynchronize(streams.written), "waiting for an event");
    for (int i = 0; i < numbers; ++i) values[i] = -1.0f;
    check(cudaStreamSynchronize(streams.first), "waiting for a stream");
  }
  expect_equal(x.get(), counting(numbers));
}

}  // namespace
}  // namespace cuda_on_cpu::faults
