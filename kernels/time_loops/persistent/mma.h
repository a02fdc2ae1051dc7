// One product on tensor cores, by PTX: d[16, 8] += a[16, k] b[k, 8], float32 sums, by a whole warp.
//
// Lane l holds, with g = l / 4 and q = l % 4 (PTX ISA, "Matrix fragments for mma"):
//   d: (g, 2q), (g, 2q+1), (g+8, 2q), (g+8, 2q+1)
//   a, k = 16: words of two numbers (g, 2q), (g+8, 2q), (g, 2q+8), (g+8, 2q+8) and each one's right
//   b, k = 16: words (2q, g), (2q+8, g) and each one's below
//   a, k = 8:  (g, q), (g+8, q), (g, q+4), (g+8, q+4);  b: (q, g), (q+4, g)
// Only for .cu files. Compute capability 8.0 and newer.
#pragma once

#include <cstdint>

#include "kernels/base/number.h"
#include "kernels/device/launch.h"
#ifndef __CUDACC__
#include "cuda_on_cpu/matrix_product.h"
#endif

namespace sluice::cuda {

/// TF32 numbers in words of 32 bits, see round_to_tf32().
struct Tf32 {};

#if !defined(__CUDACC__)

template <class T>
void multiply_add(float (&d)[4], const uint4& a, std::uint32_t b0, std::uint32_t b1) {
  const std::uint32_t words[4] = {a.x, a.y, a.z, a.w};
  if constexpr (std::is_same_v<T, BFloat16>) {
    cuda_on_cpu::multiply_add_16x8x16<__nv_bfloat16>(d, words, b0, b1);
  } else if constexpr (std::is_same_v<T, Float16>) {
    cuda_on_cpu::multiply_add_16x8x16<__half>(d, words, b0, b1);
  } else {
    cuda_on_cpu::multiply_add_16x8x8_tf32(d, words, b0, b1);
  }
}
inline float round_to_tf32(float x) { return cuda_on_cpu::round_to_tf32(x); }

#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800

template <class T>
__device__ void multiply_add(float (&)[4], const uint4&, std::uint32_t, std::uint32_t) {
  __trap();  // the host never launches it here: persistent_fit says so
}
__device__ inline float round_to_tf32(float x) { return x; }

#else

#define SLUICE_MMA(shape_and_types)                     \
  asm("mma.sync.aligned." shape_and_types               \
      " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, " \
      "{%0, %1, %2, %3};"                               \
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])  \
      : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b0), "r"(b1))

template <class T>
__device__ __forceinline__ void multiply_add(float (&d)[4], const uint4& a, std::uint32_t b0,
                                             std::uint32_t b1) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    SLUICE_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  } else if constexpr (std::is_same_v<T, Float16>) {
    SLUICE_MMA("m16n8k16.row.col.f32.f16.f16.f32");
  } else {
    SLUICE_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
  }
}
#undef SLUICE_MMA

/// To 10 bits of fraction, ties away from zero.
__device__ __forceinline__ float round_to_tf32(float x) {
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
}

#endif

}  // namespace sluice::cuda
