// The non-linear functions of the cells, for one number. SIMD packs have theirs in kernels/simd/.
//
// On CUDA expf and tanhf are within 2 units in the last place of the correctly rounded value, and a
// division is rounded correctly (CUDA C++ Programming Guide, appendix on mathematical functions,
// table of single precision, without --use_fast_math; those bounds come from extensive tests, not
// from a proof). A sigmoid then is within 5.5 (expf's 2 count twice at worst, 1 + exp once, the
// division half), and 0 below -88.72, where expf overflows. tests/kernels/base/activation_test.cpp
// holds a GPU to both.
//
// Public API.
#pragma once

#include <cmath>

#include "kernels/base/host_device.h"

namespace sluice {

SLUICE_HOST_DEVICE float exponential(float x) { return ::expf(x); }
SLUICE_HOST_DEVICE double exponential(double x) { return ::exp(x); }

SLUICE_HOST_DEVICE float hyperbolic_tangent(float x) { return ::tanhf(x); }
SLUICE_HOST_DEVICE double hyperbolic_tangent(double x) { return ::tanh(x); }

/// max(x, 0); NaN stays NaN.
SLUICE_HOST_DEVICE float rectify(float x) { return x < 0.0f ? 0.0f : x; }
SLUICE_HOST_DEVICE double rectify(double x) { return x < 0.0 ? 0.0 : x; }

/// gradient where x > 0, else 0.
SLUICE_HOST_DEVICE float where_positive(float x, float gradient) {
  return x > 0.0f ? gradient : 0.0f;
}
SLUICE_HOST_DEVICE double where_positive(double x, double gradient) {
  return x > 0.0 ? gradient : 0.0;
}

SLUICE_HOST_DEVICE float reciprocal(float x) { return 1.0f / x; }
SLUICE_HOST_DEVICE double reciprocal(double x) { return 1.0 / x; }

/// 1 / (1 + exp(-x)); an overflowing exp gives the right limit, 0.
template <class T>
SLUICE_HOST_DEVICE T sigmoid(T x) {
  return reciprocal(T(1) + exponential(-x));
}

/// Derivatives by the pre-activation, from the activated value.
template <class T>
SLUICE_HOST_DEVICE T sigmoid_slope(T y) {
  return y * (T(1) - y);
}
template <class T>
SLUICE_HOST_DEVICE T tanh_slope(T y) {
  return T(1) - y * y;
}

}  // namespace sluice
