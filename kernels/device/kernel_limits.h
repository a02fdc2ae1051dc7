// What a kernel may ask for beyond CUDA's defaults. Only for sources built with the CUDA toolkit.
#pragma once

#include <cstddef>

namespace sluice::cuda {

/// Lets `kernel` be launched on the current device with so much dynamic shared memory a block and
/// so many blocks a cluster. CUDA allows 48 KiB and 8 blocks, and more where it was asked: that is
/// done once for each kernel and device, for all that the device gives a block beside the kernel's
/// own arrays, and never lowered again, so that launches of several sizes, or from several threads,
/// do not take from each other what they need. How many blocks a multiprocessor holds goes by what
/// a launch asks for and not by this limit. May be called from several threads, and while a graph
/// is recorded. Errors: runtime if the device does not give a block so much, or from CUDA.
void allow_launch(const void* kernel, std::size_t shared_bytes, unsigned cluster_blocks);

}  // namespace sluice::cuda
