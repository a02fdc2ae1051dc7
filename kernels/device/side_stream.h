// A second stream beside a queue's own, for copies that overlap with its work, and events, by which
// one waits for the other without the host.
#pragma once

#include "kernels/base/queue.h"

namespace sluice {

/// On CUDA a queue with a stream of its own and no cuBLAS; released by destroy_side_queue. On the
/// CPU the same queue again.
Queue create_side_queue(const Queue& queue);
void destroy_side_queue(Queue& side) noexcept;

/// A mark in a queue's work; null on the CPU, where work is done at once.
void* create_event(const Queue& queue);
void destroy_event(void* event) noexcept;
/// The event happens when what `queue` was given so far is done. An event that was never recorded
/// counts as having happened.
void record_event(const Queue& queue, void* event);
/// What `queue` is given from now on waits for the event; the host does not.
void wait_for_event(const Queue& queue, void* event);
/// The host waits for it.
void synchronize_event(void* event);

namespace cuda {
Queue create_side_queue(const Queue& queue);
void destroy_side_queue(Queue& side) noexcept;
void* create_event(const Queue& queue);
void destroy_event(void* event) noexcept;
void record_event(const Queue& queue, void* event);
void wait_for_event(const Queue& queue, void* event);
void synchronize_event(void* event);
}  // namespace cuda

}  // namespace sluice
