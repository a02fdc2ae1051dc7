// What PTX alone can say about mbarriers, for the C++ twins of product code's wrappers: bulk copies
// (cp.async.bulk), remote stores (st.async) and arrivals that expect their bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda_on_cpu/execution.h"

namespace cuda_on_cpu {

/// mbarrier.arrive.expect_tx: one arrival, and `bytes` more to come in this phase.
inline std::uint64_t arrive_expecting(std::uint64_t* barrier, std::uint32_t bytes,
                                      CUDA_ON_CPU_SITE) {
  return mbarrier_arrive({site_file, site_line}, barrier, bytes, false);
}

/// Copies `bytes` to shared memory of any block of the cluster and completes them on the mbarrier
/// beside it. Done when someone waits on that mbarrier. Both addresses and `bytes` are multiples
/// of 16 for a bulk copy.
inline void bulk_copy(void* to, const void* from, std::uint32_t bytes, std::uint64_t* barrier,
                      CUDA_ON_CPU_SITE) {
  copy_to_barrier({site_file, site_line}, to, from, bytes, barrier, 16);
}

/// st.async: the value is taken now, and arrives later.
template <class T>
void store_async(T* to, T value, std::uint64_t* barrier, CUDA_ON_CPU_SITE) {
  store_to_barrier({site_file, site_line}, to, &value, sizeof(T), barrier);
}

}  // namespace cuda_on_cpu
