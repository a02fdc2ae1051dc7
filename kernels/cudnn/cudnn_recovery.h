// What is left of a stream after a call of cuDNN failed. Only for sources that are built with
// SLUICE_WITH_CUDNN.
#pragma once

#include <cudnn.h>

#include <string>

#include "kernels/base/queue.h"

namespace sluice::cuda {

/// After a failure that is no refusal: cuDNN may have enqueued some of the call. Waits for the
/// queue's stream, the one way to know whether it can go on, and returns if so; what it wrote is
/// then void. Errors: runtime where the device's context is broken; and while the queue's work is
/// recorded, since the recording then holds a part of the call. `failure`: "... failed: ...", of
/// the call.
void require_sound(const Queue& queue, const std::string& failure);

}  // namespace sluice::cuda
