// Work recorded on a queue and launched again as one: CUDA graphs.
//
// Public API.
#pragma once

#include "kernels/base/queue.h"

namespace sluice {

/// True where a queue's work can be recorded: on CUDA.
bool can_record(const Queue& queue) noexcept;

/// Until end_recording, what this thread enqueues on `queue` is kept instead of run. Nothing may be
/// allocated or waited for meanwhile, and host memory that is copied from is read at each launch.
void begin_recording(const Queue& queue);

/// The graph of what was recorded. `graph` is one made before, or null: where its launches are
/// alike it takes the new arguments, else it is destroyed and another one made, which takes far
/// longer. True if one was made. Errors: runtime when something was asked for that cannot be
/// recorded; `graph` is then null.
bool end_recording(const Queue& queue, void*& graph);

/// Drops what was recorded so far; nothing of it has run.
void drop_recording(const Queue& queue) noexcept;

void launch_graph(const Queue& queue, void* graph);
void destroy_graph(void* graph) noexcept;

namespace cuda {
void begin_recording(const Queue& queue);
bool end_recording(const Queue& queue, void*& graph);
void drop_recording(const Queue& queue) noexcept;
void launch_graph(const Queue& queue, void* graph);
void destroy_graph(void* graph) noexcept;
}  // namespace cuda

}  // namespace sluice
