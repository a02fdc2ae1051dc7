// Atomic operations; relaxed, as CUDA's are, so that ThreadSanitizer sees a missing fence.
#pragma once

#include <type_traits>

#include "cuda_on_cpu/execution.h"

namespace cuda_on_cpu {

/// Replaces *address by next(*address); returns what was there. Others may see it before this
/// thread goes on.
template <class T, class Next>
T atomic_update(T* address, Next next) {
  T old;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  for (;;) {
    T wanted = next(old);
    if (__atomic_compare_exchange(address, &old, &wanted, false, __ATOMIC_RELAXED,
                                  __ATOMIC_RELAXED)) {
      if (wanted != old) pause_at_random();
      return old;
    }
  }
}

/// The second argument's type follows the first's, as with CUDA's overloads.
template <class T>
using Same = std::type_identity_t<T>;

}  // namespace cuda_on_cpu

template <class T>
T atomicAdd(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicSub(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return static_cast<T>(old - value); });
}
template <class T>
T atomicMin(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicMax(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicAnd(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return old & value; });
}
template <class T>
T atomicOr(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return old | value; });
}
template <class T>
T atomicXor(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return old ^ value; });
}
template <class T>
T atomicExch(T* address, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* address, cuda_on_cpu::Same<T> expected, cuda_on_cpu::Same<T> value) {
  return cuda_on_cpu::atomic_update(address, [=](T old) { return old == expected ? value : old; });
}
/// Wraps to 0 past the limit.
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  return cuda_on_cpu::atomic_update(address,
                                    [=](unsigned old) { return old >= limit ? 0u : old + 1; });
}

// With a scope. One processor runs everything, so that scopes make no difference here.
template <class T>
T atomicAdd_block(T* address, cuda_on_cpu::Same<T> value) {
  return atomicAdd(address, value);
}
template <class T>
T atomicAdd_system(T* address, cuda_on_cpu::Same<T> value) {
  return atomicAdd(address, value);
}
template <class T>
T atomicMax_block(T* address, cuda_on_cpu::Same<T> value) {
  return atomicMax(address, value);
}
template <class T>
T atomicExch_block(T* address, cuda_on_cpu::Same<T> value) {
  return atomicExch(address, value);
}
template <class T>
T atomicCAS_block(T* address, cuda_on_cpu::Same<T> expected, cuda_on_cpu::Same<T> value) {
  return atomicCAS(address, expected, value);
}
