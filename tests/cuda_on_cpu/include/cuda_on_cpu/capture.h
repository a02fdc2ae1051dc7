// What a stream is given while it is captured into a graph is kept instead of run.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace cuda_on_cpu {

/// What a node of a graph does. An executable graph takes another one's numbers only where node for
/// node the kind is the same, and the kernel of a launch.
enum class NodeKind { kernel, copy, fill, library };

struct Node {
  NodeKind kind = NodeKind::kernel;
  const void* kernel = nullptr;  ///< of a launch
  std::function<cudaError_t()> run;
};

/// True if `stream` is being captured: the node then belongs to its graph. False: run it now.
bool capture(cudaStream_t stream, const Node& node);

/// For what a captured stream cannot do, or its thread: the capture is then lost, as on a GPU.
/// True if `stream` is being captured.
bool spoil_capture(cudaStream_t stream);
/// True if this thread is capturing any stream.
bool spoil_captures_of_this_thread();

}  // namespace cuda_on_cpu
