// fp16 and bf16: the toolkit's own types, with the functions that it has for the device only.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>

// Rounded once: a product of two 11-bit numbers is exact in double, and so is the sum that matters.
inline __half __hfma(__half a, __half b, __half c) {
  return __double2half(std::fma(static_cast<double>(__half2float(a)),
                                static_cast<double>(__half2float(b)),
                                static_cast<double>(__half2float(c))));
}
inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
inline __nv_bfloat16 __hfma(__nv_bfloat16 a, __nv_bfloat16 b, __nv_bfloat16 c) {
  return __double2bfloat16(std::fma(static_cast<double>(__bfloat162float(a)),
                                    static_cast<double>(__bfloat162float(b)),
                                    static_cast<double>(__bfloat162float(c))));
}
inline __half hexp(__half x) { return __float2half(std::exp(__half2float(x))); }
inline __half htanh(__half x) { return __float2half(std::tanh(__half2float(x))); }
inline __nv_bfloat16 hexp(__nv_bfloat16 x) {
  return __float2bfloat16(std::exp(__bfloat162float(x)));
}
