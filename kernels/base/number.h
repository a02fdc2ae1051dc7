// Numbers as they are stored and as they are computed with: the C++ types of DataType.
//
// A 16-bit number is only ever loaded and stored. Arithmetic is done on widen(x), a float, and the
// result rounded by narrow<S>(x), to nearest with ties to even; float and double pass unchanged.
// The 16-bit types are structs of their bits everywhere, those of the toolkit's types; its headers
// would be a third of what a .cu file has to read.
//
// Public API.
#pragma once

#include "kernels/base/host_device.h"
#include "kernels/base/types.h"

#include <cstdint>

namespace sluice {

/// The upper half of a float.
struct BFloat16 {
  std::uint16_t bits;
};
/// IEEE binary16.
struct Float16 {
  std::uint16_t bits;
};

SLUICE_HOST_DEVICE float widen(BFloat16 x) {
#ifdef __CUDA_ARCH__
  float wide;
  asm("{ mov.b32 %0, {0,%1};}" : "=f"(wide) : "h"(x.bits));
  return wide;
#else
  return __builtin_bit_cast(float, std::uint32_t{x.bits} << 16);
#endif
}

// Never through a subnormal float, which counts as zero in a ThreadPool (FlushDenormals).
SLUICE_HOST_DEVICE float widen(Float16 x) {
#ifdef __CUDA_ARCH__
  float wide;
  asm("{ cvt.f32.f16 %0, %1;}" : "=f"(wide) : "h"(x.bits));
  return wide;
#else
  const std::uint32_t magnitude = x.bits & 0x7FFFu;
  const std::uint32_t normal = (magnitude << 13) + 0x38000000u;  // the exponent's bias: 127 - 15
  const auto subnormal =
      __builtin_bit_cast(std::uint32_t, static_cast<float>(static_cast<int>(magnitude)) * 0x1p-24f);
  const std::uint32_t infinite = magnitude << 13 | 0x7F800000u;
  const std::uint32_t bits = magnitude < 0x0400u   ? subnormal
                             : magnitude < 0x7C00u ? normal
                                                   : infinite;
  return __builtin_bit_cast(float, bits | (x.bits & 0x8000u) << 16);
#endif
}

SLUICE_HOST_DEVICE void round_to(float x, BFloat16& to) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("{ cvt.rn.bf16.f32 %0, %1;}" : "=h"(to.bits) : "f"(x));
#else
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16;
  to.bits = static_cast<std::uint16_t>(x == x ? rounded : 0x7FFFu);
#endif
}

SLUICE_HOST_DEVICE void round_to(float x, Float16& to) {
#ifdef __CUDA_ARCH__
  asm("{ cvt.rn.f16.f32 %0, %1;}" : "=h"(to.bits) : "f"(x));
#else
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  std::uint32_t rounded;
  if (magnitude > 0x7F800000u) {
    rounded = 0x7FFFu;
  } else if (magnitude >= 0x47800000u) {  // 2^16 and more; what rounds up to it comes out so below
    rounded = 0x7C00u;
  } else if (magnitude < 0x38800000u) {  // subnormal: the sum's last bit is worth 2^-24
    const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
    rounded = __builtin_bit_cast(std::uint32_t, shifted) - 0x3F000000u;
  } else {
    rounded = (magnitude - 0x38000000u + 0xFFFu + (magnitude >> 13 & 1)) >> 13;
  }
  to.bits = static_cast<std::uint16_t>(rounded | (bits >> 16 & 0x8000u));
#endif
}

SLUICE_HOST_DEVICE float widen(float x) { return x; }
SLUICE_HOST_DEVICE double widen(double x) { return x; }
SLUICE_HOST_DEVICE void round_to(float x, float& to) { to = x; }
SLUICE_HOST_DEVICE void round_to(double x, double& to) { to = x; }

/// The C++ type of state_type(): float of a 16-bit type, else the type itself.
template <class S>
struct WideOf {
  using type = S;
};
template <>
struct WideOf<BFloat16> {
  using type = float;
};
template <>
struct WideOf<Float16> {
  using type = float;
};
template <class S>
using Wide = typename WideOf<S>::type;

template <class S>
SLUICE_HOST_DEVICE S narrow(Wide<S> x) {
  S to;
  round_to(x, to);
  return to;
}

/// Calls body(T()) with the C++ type T of `type`: with_number(type, [&]<class T>(T) { ... }).
template <class Body>
decltype(auto) with_number(DataType type, Body&& body) {
  switch (type) {
    case DataType::float64: return body(double());
    case DataType::bfloat16: return body(BFloat16());
    case DataType::float16: return body(Float16());
    case DataType::float32: break;
  }
  return body(float());
}

}  // namespace sluice
