// wgmma's part of the probe `mma`: code of sm_90a alone, an object of its own.
#pragma once

#include <string>

#include "tests/gpu/probes/probe.h"

namespace sluice::probes {

/// m64n8k16 and m64n16k16, bfloat16, A in registers and B in shared memory: products back to back
/// and one at a time, by 1, 2 and 4 warp groups of a multiprocessor.
void measure_wgmma(Finding& finding);

}  // namespace sluice::probes
