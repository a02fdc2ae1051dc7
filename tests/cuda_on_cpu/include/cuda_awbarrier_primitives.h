// The toolkit's primitives for mbarriers: barriers in shared memory whose arrivals and waits are
// apart, and which can also count the bytes of asynchronous copies.
#pragma once

#include <cstdint>

#include "cuda_on_cpu/execution.h"

using __mbarrier_t = std::uint64_t;
using __mbarrier_token_t = std::uint64_t;

inline void __mbarrier_init(__mbarrier_t* barrier, std::uint32_t expected, CUDA_ON_CPU_SITE) {
  cuda_on_cpu::mbarrier_init({site_file, site_line}, barrier, expected);
}
inline void __mbarrier_inval(__mbarrier_t* barrier, CUDA_ON_CPU_SITE) {
  cuda_on_cpu::mbarrier_invalidate({site_file, site_line}, barrier);
}
inline __mbarrier_token_t __mbarrier_arrive(__mbarrier_t* barrier, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::mbarrier_arrive({site_file, site_line}, barrier, 0, false);
}
inline __mbarrier_token_t __mbarrier_arrive_and_drop(__mbarrier_t* barrier, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::mbarrier_arrive({site_file, site_line}, barrier, 0, true);
}
/// True once the phase of the token is complete. A loop on the test forms must call __nanosleep;
/// the try forms pause by themselves.
inline bool __mbarrier_test_wait(__mbarrier_t* barrier, __mbarrier_token_t token,
                                 CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::mbarrier_passed({site_file, site_line}, barrier, token % 2 != 0, false);
}
inline bool __mbarrier_try_wait(__mbarrier_t* barrier, __mbarrier_token_t token, std::uint32_t = 0,
                                CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::mbarrier_passed({site_file, site_line}, barrier, token % 2 != 0, true);
}
inline bool __mbarrier_test_wait_parity(__mbarrier_t* barrier, bool parity, CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::mbarrier_passed({site_file, site_line}, barrier, parity, false);
}
inline bool __mbarrier_try_wait_parity(__mbarrier_t* barrier, bool parity, std::uint32_t = 0,
                                       CUDA_ON_CPU_SITE) {
  return cuda_on_cpu::mbarrier_passed({site_file, site_line}, barrier, parity, true);
}
