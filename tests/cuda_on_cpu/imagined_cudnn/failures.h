// Failures that a test asks for.
#pragma once

#include <cudnn.h>

namespace imagined_cudnn {

/// What `function` is to end with instead, by the environment variable IMAGINED_CUDNN_FAILS:
/// "function=status ...", which leaves the standard algorithm alone, or "function=status* ...",
/// which does not. Success where it asks for nothing.
cudnnStatus_t failure_asked_of(const char* function, cudnnRNNAlgo_t algorithm);

/// Of those that say no before anything is done; others come when a part of the work is.
bool is_refusal(cudnnStatus_t status);

}  // namespace imagined_cudnn

/// A test may define it, in a program that exports its functions: called when a call fails halfway.
extern "C" __attribute__((weak)) void imagined_cudnn_failed_halfway();
