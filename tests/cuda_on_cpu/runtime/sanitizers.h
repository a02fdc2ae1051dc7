// What the sanitizers must be told about fibers; nothing in a build without them.
//
// AddressSanitizer keeps the bounds of the stack it is on. ThreadSanitizer sees each CUDA thread
// as a thread of its own: switches carry no synchronisation (flag 1), barriers release and acquire
// a token, and the runtime's own bookkeeping is hidden from it, being the hardware's part.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define CUDA_ON_CPU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUDA_ON_CPU_ASAN 1
#endif
#endif

#ifdef CUDA_ON_CPU_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// The runtime itself is compiled without -fsanitize=thread, so that the build must say it.
#ifdef CUDA_ON_CPU_TSAN
extern "C" {
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void* __tsan_get_current_fiber();
void __tsan_acquire(void* token);
void __tsan_release(void* token);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace cuda_on_cpu {

#ifdef CUDA_ON_CPU_TSAN

inline void race_release(void* token) { __tsan_release(token); }
inline void race_acquire(void* token) { __tsan_acquire(token); }

/// While it lives, this thread's accesses are not looked at.
struct HiddenFromRaces {
  HiddenFromRaces() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~HiddenFromRaces() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
};

#else

inline void race_release(void*) {}
inline void race_acquire(void*) {}
struct HiddenFromRaces {
  HiddenFromRaces() {}
  ~HiddenFromRaces() {}
};

#endif

}  // namespace cuda_on_cpu
