// A vector register of numbers. Only *_simd.cpp files include this: each of them is compiled once
// for every instruction set, into the namespace SLUICE_ISA, so that no two of them share a symbol.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

#ifndef SLUICE_ISA
#error "kernels/simd/ is only for the *_simd.cpp files (see kernels/CMakeLists.txt)"
#endif

#define SLUICE_INLINE inline __attribute__((always_inline))

// Before a loop over registers: an array of packs becomes registers only once its loops are
// unrolled.
#ifdef __clang__
#define SLUICE_UNROLL _Pragma("unroll")
#else
#define SLUICE_UNROLL _Pragma("GCC unroll 32")
#endif

namespace sluice::SLUICE_ISA {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64, kVectorRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32, kVectorRegisters = 16;
#else
inline constexpr int kVectorBytes = 16, kVectorRegisters = 16;
#endif

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float Type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double Type __attribute__((vector_size(kVectorBytes)));
};

// Part of a vector: `count` lanes, less than its width, none where it is below 0. Without masks it
// is not inline: long, and rarely called.
#if defined(__AVX512F__)
SLUICE_INLINE unsigned first_lanes(std::int64_t count) {
  return count > 0 ? (1u << count) - 1 : 0u;
}
SLUICE_INLINE VectorOf<float>::Type load_part(const float* from, std::int64_t count) {
  return VectorOf<float>::Type(_mm512_maskz_loadu_ps(__mmask16(first_lanes(count)), from));
}
SLUICE_INLINE VectorOf<double>::Type load_part(const double* from, std::int64_t count) {
  return VectorOf<double>::Type(_mm512_maskz_loadu_pd(__mmask8(first_lanes(count)), from));
}
SLUICE_INLINE void store_part(VectorOf<float>::Type v, float* to, std::int64_t count) {
  _mm512_mask_storeu_ps(to, __mmask16(first_lanes(count)), __m512(v));
}
SLUICE_INLINE void store_part(VectorOf<double>::Type v, double* to, std::int64_t count) {
  _mm512_mask_storeu_pd(to, __mmask8(first_lanes(count)), __m512d(v));
}
#else
template <class T>
__attribute__((noinline)) typename VectorOf<T>::Type load_part(const T* from, std::int64_t count) {
  typename VectorOf<T>::Type v = {};
  if (count > 0) std::memcpy(&v, from, static_cast<std::size_t>(count) * sizeof(T));
  return v;
}
template <class T>
__attribute__((noinline)) void store_part(typename VectorOf<T>::Type v, T* to, std::int64_t count) {
  if (count > 0) std::memcpy(to, &v, static_cast<std::size_t>(count) * sizeof(T));
}
#endif

template <class T>
struct Pack;

// Whether multiply_add rounds once.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
inline constexpr bool kFused = true;
#else
inline constexpr bool kFused = false;
#endif

/// a b + c, rounded once where kFused says so, whatever the compiler makes of sums and products
/// elsewhere: GCC fuses those from -O2 on alone.
SLUICE_INLINE Pack<float> multiply_add(Pack<float> a, Pack<float> b, Pack<float> c);

template <class T>
struct Pack {
  using Vector = typename VectorOf<T>::Type;
  static constexpr int width = kVectorBytes / static_cast<int>(sizeof(T));

  Vector v;

  Pack() = default;
  SLUICE_INLINE Pack(T x) : v(x - Vector{}) {}
  SLUICE_INLINE explicit Pack(Vector x) : v(x) {}

  SLUICE_INLINE static Pack load(const T* from) {
    Pack p;
    std::memcpy(&p.v, from, sizeof p.v);
    return p;
  }
  SLUICE_INLINE void store(T* to) const { std::memcpy(to, &v, sizeof v); }

  // The first `count` lanes; the others read as zero and are not written.
  SLUICE_INLINE static Pack load(const T* from, std::int64_t count) {
    return count >= width ? load(from) : Pack(load_part(from, count));
  }
  SLUICE_INLINE void store(T* to, std::int64_t count) const {
    count >= width ? store(to) : store_part(v, to, count);
  }

  SLUICE_INLINE friend Pack operator+(Pack a, Pack b) { return Pack(a.v + b.v); }
  SLUICE_INLINE friend Pack operator-(Pack a, Pack b) { return Pack(a.v - b.v); }
  SLUICE_INLINE friend Pack operator*(Pack a, Pack b) { return Pack(a.v * b.v); }
  SLUICE_INLINE friend Pack operator/(Pack a, Pack b) { return Pack(a.v / b.v); }
  SLUICE_INLINE friend Pack operator-(Pack a) { return Pack(-a.v); }
  /// 1 / d within 2 ulp; for floats with AVX-512 by an estimate and a step of Newton's, since there
  /// a division costs as much as sixteen products.
  SLUICE_INLINE friend Pack reciprocal(Pack d) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == sizeof(float)) {
      const Pack estimate(Vector(_mm512_maskz_rcp14_ps(0xffff, __m512(d.v))));
      return multiply_add(estimate, multiply_add(-d, estimate, Pack(T(1))), estimate);
    }
#endif
    return Pack(T(1)) / d;
  }
  /// a / d, by the reciprocal where that is cheaper.
  SLUICE_INLINE friend Pack quotient(Pack a, Pack d) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == sizeof(float)) return a * reciprocal(d);
#endif
    return a / d;
  }
  SLUICE_INLINE Pack& operator+=(Pack b) {
    v += b.v;
    return *this;
  }
};

SLUICE_INLINE Pack<float> multiply_add(Pack<float> a, Pack<float> b, Pack<float> c) {
#if defined(__AVX512F__)
  return Pack<float>(Pack<float>::Vector(_mm512_fmadd_ps(__m512(a.v), __m512(b.v), __m512(c.v))));
#elif defined(__FMA__)
  return Pack<float>(Pack<float>::Vector(_mm256_fmadd_ps(__m256(a.v), __m256(b.v), __m256(c.v))));
#else
  if constexpr (!kFused) return Pack<float>(a.v * b.v + c.v);
  for (int i = 0; i < Pack<float>::width; ++i) c.v[i] = __builtin_fmaf(a.v[i], b.v[i], c.v[i]);
  return c;
#endif
}

}  // namespace sluice::SLUICE_ISA
