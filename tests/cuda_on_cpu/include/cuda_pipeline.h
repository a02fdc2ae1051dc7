// The toolkit's primitives for asynchronous copies from global to shared memory (cp.async).
//
// A copy is done when its thread waits for it and not before, so that a missing wait reads NaN,
// and a source or buffer that is overwritten too early shows.
#pragma once

#include <cstddef>

#include "cuda_awbarrier_primitives.h"
#include "cuda_on_cpu/execution.h"

/// `bytes` is 4, 8 or 16, both addresses are multiples of it, and `to` is shared memory. The last
/// `zero_bytes` are zeroed instead of copied.
inline void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes,
                                    std::size_t zero_bytes = 0, CUDA_ON_CPU_SITE) {
  cuda_on_cpu::copy_async({site_file, site_line}, to, from, bytes, zero_bytes);
}
inline void __pipeline_commit() { cuda_on_cpu::commit_copies(); }
/// Waits for all of this thread's committed batches but the last `batches`.
inline void __pipeline_wait_prior(std::size_t batches) { cuda_on_cpu::wait_for_copies(batches); }
