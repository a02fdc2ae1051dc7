// A kernel that does nothing: asking for its attributes fails on a device that this build holds no
// code for.
#pragma once

namespace sluice::cuda {

const void* probe_kernel();

}  // namespace sluice::cuda
