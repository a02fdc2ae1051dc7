// CUDA graphs: capture of a stream, and launches of what was captured, in order.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cuda_on_cpu/capture.h"

namespace {

using cuda_on_cpu::Node;

struct Graph {
  std::vector<Node> nodes;
};

struct Capture {
  std::thread::id thread;
  bool lost = false;
  std::unique_ptr<Graph> graph = std::make_unique<Graph>();
};

std::mutex mutex;
std::map<cudaStream_t, Capture> captures;

cudaGraph_t handle(Graph* graph) { return reinterpret_cast<cudaGraph_t>(graph); }
Graph* graph_of(cudaGraph_t graph) { return reinterpret_cast<Graph*>(graph); }
Graph* graph_of(cudaGraphExec_t graph) { return reinterpret_cast<Graph*>(graph); }

}  // namespace

namespace cuda_on_cpu {

bool capture(cudaStream_t stream, const Node& node) {
  const std::lock_guard lock(mutex);
  const auto found = captures.find(stream);
  if (found == captures.end()) return false;
  found->second.graph->nodes.push_back(node);
  return true;
}

bool spoil_capture(cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  const auto found = captures.find(stream);
  if (found == captures.end()) return false;
  found->second.lost = true;
  return true;
}

bool spoil_captures_of_this_thread() {
  const std::lock_guard lock(mutex);
  bool any = false;
  for (auto& [stream, capture] : captures) {
    if (capture.thread == std::this_thread::get_id()) any = capture.lost = true;
  }
  return any;
}

}  // namespace cuda_on_cpu

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const std::lock_guard lock(mutex);
  if (mode != cudaStreamCaptureModeThreadLocal || captures.count(stream) != 0) {
    return cudaErrorIllegalState;
  }
  captures[stream].thread = std::this_thread::get_id();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(mutex);
  *graph = nullptr;
  const auto found = captures.find(stream);
  if (found == captures.end()) return cudaErrorIllegalState;
  const bool lost = found->second.lost;
  if (!lost) *graph = handle(found->second.graph.release());
  captures.erase(found);
  return lost ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const std::lock_guard lock(mutex);
  const auto found = captures.find(stream);
  *status = found == captures.end()  ? cudaStreamCaptureStatusNone
            : found->second.lost ? cudaStreamCaptureStatusInvalidated
                                 : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  *made = reinterpret_cast<cudaGraphExec_t>(new Graph(*graph_of(graph)));
  return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t to, cudaGraph_t from, cudaGraphExecUpdateResultInfo* info) {
  std::vector<Node>& old = graph_of(to)->nodes;
  const std::vector<Node>& now = graph_of(from)->nodes;
  const bool same = std::equal(old.begin(), old.end(), now.begin(), now.end(), [](const Node& a, const Node& b) {
    return a.kind == b.kind && a.kernel == b.kernel;
  });
  info->result = same ? cudaGraphExecUpdateSuccess : cudaGraphExecUpdateErrorTopologyChanged;
  if (!same) return cudaErrorGraphExecUpdateFailure;
  old = now;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (cuda_on_cpu::spoil_capture(stream)) return cudaErrorStreamCaptureUnsupported;
  for (const Node& node : graph_of(graph)->nodes) {
    const cudaError_t status = node.run();
    if (status != cudaSuccess) return status;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph_of(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph_of(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (nodes != nullptr) return cudaErrorNotSupported;  // there are none to show
  *count = graph_of(graph)->nodes.size();
  return cudaSuccess;
}

}  // extern "C"
