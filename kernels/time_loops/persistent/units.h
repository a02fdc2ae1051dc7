// The launches of cells without R (PersistentMatrix::none). Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/persistent_launch.h"

namespace sluice::cuda {

void run_units_forward(const Queue& queue, const PersistentLaunch& fit,
                       const PersistentForwardArgs* directions);
void run_units_backward(const Queue& queue, const PersistentLaunch& fit,
                        const PersistentBackwardArgs* directions);

}  // namespace sluice::cuda
