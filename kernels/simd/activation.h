// The functions of kernels/base/activation.h for packs; found by argument-dependent look-up.
#pragma once

#include <cmath>

#include "kernels/base/activation.h"
#include "kernels/simd/pack.h"

namespace sluice::SLUICE_ISA {

template <class T>
SLUICE_INLINE Pack<T> clamp(Pack<T> x, T low, T high) {
  const typename Pack<T>::Vector least = Pack<T>(low).v, most = Pack<T>(high).v;
  x.v = x.v < least ? least : x.v;  // NaN compares false and stays
  x.v = x.v > most ? most : x.v;
  return x;
}

template <class T>
SLUICE_INLINE Pack<T> rectify(Pack<T> x) {
  const typename Pack<T>::Vector zero{};
  return Pack<T>(x.v < zero ? zero : x.v);
}

template <class T>
SLUICE_INLINE Pack<T> where_positive(Pack<T> x, Pack<T> gradient) {
  const typename Pack<T>::Vector zero{};
  return Pack<T>(x.v > zero ? gradient.v : zero);
}

/// exp(x) for -87.3 <= x <= 88; beyond, the value at that end, so that a sigmoid saturates. The
/// sigmoid by it is within 2.5 units in the last place of the exact one with every instruction set
/// (tests/kernels/base/activation_test.cpp measures all of float32); it is 1 from 17.4 on at the
/// latest and, since denormals count as zero, 0 from -87.4 on. Reduction x = n ln 2 + r and the
/// polynomial's coefficients: Moshier's Cephes, expf.c.
SLUICE_INLINE Pack<float> exponential(Pack<float> x) {
  using P = Pack<float>;
  typedef std::int32_t Integers __attribute__((vector_size(kVectorBytes)));
  x = clamp(x, -87.3f, 88.0f);
  const P magic(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  P n = multiply_add(x, P(1.44269504088896341f), magic);
  n = n - magic;
  const P r = multiply_add(n, P(2.12194440e-4f), multiply_add(n, P(-0.693359375f), x));
  P p(1.9875691500e-4f);
  p = multiply_add(p, r, P(1.3981999507e-3f));
  p = multiply_add(p, r, P(8.3334519073e-3f));
  p = multiply_add(p, r, P(4.1665795894e-2f));
  p = multiply_add(p, r, P(1.6666665459e-1f));
  p = multiply_add(p, r, P(5.0000001201e-1f));
  p = multiply_add(p, r * r, r) + P(1.0f);
  const Integers bits = (__builtin_convertvector(n.v, Integers) + 127) << 23;
  P power;
  std::memcpy(&power.v, &bits, sizeof bits);
  return p * power;
}

/// tanh(x) by an odd polynomial of degree 13 over an even one of degree 6. In units in the last
/// place it is within 5.3 of the exact one with AVX-512, 5.0 with AVX2 and 6.7 with the baseline,
/// whose sums and products are not fused (tests/kernels/base/activation_test.cpp measures all of
/// float32). Never beyond 1, and exactly 1 from the clamp on, so that a saturated unit has a slope
/// of 0: the exact tanh is 3.8 to 4.6 units below 1 at the clamps, and rounds to 1 from 9.01 on.
/// Coefficients and clamps: Eigen, MathFunctionsImpl.h, ptanh_float. The clamp is where the
/// quotient reaches 1, which depends on its roundings: one for builds with FMA, one for those
/// without.
SLUICE_INLINE Pack<float> hyperbolic_tangent(Pack<float> x) {
  using P = Pack<float>;
  constexpr float saturated = kFused ? 7.99881172180175781f : 7.90531110763549805f;
  x = clamp(x, -saturated, saturated);
  const P square = x * x;
  P p(-2.76076847742355e-16f);
  p = multiply_add(p, square, P(2.00018790482477e-13f));
  p = multiply_add(p, square, P(-8.60467152213735e-11f));
  p = multiply_add(p, square, P(5.12229709037114e-08f));
  p = multiply_add(p, square, P(1.48572235717979e-05f));
  p = multiply_add(p, square, P(6.37261928875436e-04f));
  p = multiply_add(p, square, P(4.89352455891786e-03f));
  P q(1.19825839466702e-06f);
  q = multiply_add(q, square, P(1.18534705686654e-04f));
  q = multiply_add(q, square, P(2.26843463243900e-03f));
  q = multiply_add(q, square, P(4.89352518554385e-03f));
  return x * quotient(p, q);  // in this order the smallest numbers do not vanish in x p
}

// float64 serves the gradient checks, where exactness counts and speed does not.
SLUICE_INLINE Pack<double> exponential(Pack<double> x) {
  for (int i = 0; i < Pack<double>::width; ++i) x.v[i] = ::exp(x.v[i]);
  return x;
}
SLUICE_INLINE Pack<double> hyperbolic_tangent(Pack<double> x) {
  for (int i = 0; i < Pack<double>::width; ++i) x.v[i] = ::tanh(x.v[i]);
  return x;
}

}  // namespace sluice::SLUICE_ISA
