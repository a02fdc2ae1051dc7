// What a stream is given: run at once, kept for a graph while it is captured, or kept until
// somebody waits for it. With CUDA_ON_CPU_CAPTURES=lost in the environment no capture ends well.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace cuda_on_cpu {

/// What a node of a graph does. An executable graph takes another one's numbers only where node for
/// node the kind is the same, and the kernel of a launch, and what it waits for.
enum class NodeKind { kernel, copy, fill, library };

struct Node {
  NodeKind kind = NodeKind::kernel;
  const void* kernel = nullptr;  ///< of a launch
  std::function<cudaError_t()> run;
  unsigned cooperative_blocks =
      0;  ///< of a cooperative launch: each has a multiprocessor until it ends
};

/// When streams run what they are given. `late`: not before somebody waits for it, and then in any
/// order that events allow, by the schedule of schedule.h; a launch's failure shows at the wait. At
/// the program's start it is what the environment variable CUDA_ON_CPU_STREAMS says, late or
/// nothing.
enum class Streams { at_once, late };
void set_streams(Streams streams);

/// Gives `node` to the stream. The status of its run where it ran. Cooperative launches that no
/// event or stream keeps apart fail, late or in a graph, where the multiprocessors do not suffice
/// for all of them.
cudaError_t submit(cudaStream_t stream, const Node& node);

/// Runs everything that any stream still holds.
cudaError_t run_all();

/// For what a captured stream cannot do, or its thread: the capture is then lost, as on a GPU.
/// True if `stream` is being captured.
bool spoil_capture(cudaStream_t stream);
/// True if this thread is capturing any stream.
bool spoil_captures_of_this_thread();

}  // namespace cuda_on_cpu
