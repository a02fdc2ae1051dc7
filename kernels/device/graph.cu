// CUDA graphs by capture of a stream.
#include "kernels/device/graph.h"

#include <utility>

#include "kernels/device/cuda_check.h"

namespace sluice::cuda {
namespace {

cudaStream_t stream_of(const Queue& queue) { return static_cast<cudaStream_t>(queue.stream); }
cudaGraphExec_t executable(void* graph) { return static_cast<cudaGraphExec_t>(graph); }

/// Destroyed at the end of its scope.
struct Captured {
  cudaGraph_t graph = nullptr;
  ~Captured() {
    if (graph != nullptr) static_cast<void>(cudaGraphDestroy(graph));
  }
};

}  // namespace

void begin_recording(const Queue& queue) {
  // Other threads may go on allocating and copying meanwhile.
  check(cudaStreamBeginCapture(stream_of(queue), cudaStreamCaptureModeThreadLocal),
        "beginning to record a graph");
}

bool end_recording(const Queue& queue, void*& graph) {
  Captured captured;
  void* const before = std::exchange(graph, nullptr);
  const cudaError_t status = cudaStreamEndCapture(stream_of(queue), &captured.graph);
  if (status != cudaSuccess) {
    destroy_graph(before);
    throw_failure(status, "recording a graph");
  }
  if (before != nullptr) {
    cudaGraphExecUpdateResultInfo result;
    if (cudaGraphExecUpdate(executable(before), captured.graph, &result) == cudaSuccess) {
      graph = before;
      return false;
    }
    static_cast<void>(cudaGetLastError());
    destroy_graph(before);
  }
  cudaGraphExec_t made = nullptr;
  check(cudaGraphInstantiate(&made, captured.graph, 0), "making a recorded graph ready");
  graph = made;
  return true;
}

void drop_recording(const Queue& queue) noexcept {
  Captured captured;
  static_cast<void>(cudaStreamEndCapture(stream_of(queue), &captured.graph));
  static_cast<void>(cudaGetLastError());
}

void launch_graph(const Queue& queue, void* graph) {
  check(cudaGraphLaunch(executable(graph), stream_of(queue)), "launching a graph");
}

void destroy_graph(void* graph) noexcept {
  if (graph != nullptr) static_cast<void>(cudaGraphExecDestroy(executable(graph)));
}

}  // namespace sluice::cuda
