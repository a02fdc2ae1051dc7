#include "kernels/base/number.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace sluice::test {
namespace {

template <class S>
S of_bits(std::uint32_t bits) {
  return std::bit_cast<S>(static_cast<std::uint16_t>(bits));
}
template <class S>
std::uint32_t bits_of(float x) {
  return std::bit_cast<std::uint16_t>(narrow<S>(x));
}

/// The value of a format with `fraction` bits of fraction and an exponent's bias of `bias`.
double value_of_bits(std::uint32_t bits, int fraction, int bias) {
  const int exponent = static_cast<int>((bits & 0x7FFFu) >> fraction);
  const double part = static_cast<double>(bits & ((1u << fraction) - 1)) / (1u << fraction);
  const double size =
      exponent == 0 ? std::ldexp(part, 1 - bias) : std::ldexp(1.0 + part, exponent - bias);
  return (bits & 0x8000u) != 0 ? -size : size;
}

template <class S>
struct Format;
template <>
struct Format<BFloat16> {
  static constexpr int fraction = 7, bias = 127;
  static constexpr std::uint32_t infinity = 0x7F80;
};
template <>
struct Format<Float16> {
  static constexpr int fraction = 10, bias = 15;
  static constexpr std::uint32_t infinity = 0x7C00;
};

template <class S>
class Number16 : public ::testing::Test {};
using Types = ::testing::Types<BFloat16, Float16>;
TYPED_TEST_SUITE(Number16, Types);

TYPED_TEST(Number16, WidensEveryNumberExactlyAndRoundsItBackToItself) {
  using F = Format<TypeParam>;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = widen(of_bits<TypeParam>(bits));
    const std::uint32_t magnitude = bits & 0x7FFFu;
    if (magnitude > F::infinity) {
      ASSERT_TRUE(std::isnan(wide)) << bits;
      ASSERT_TRUE(std::isnan(widen(narrow<TypeParam>(wide)))) << bits;
      continue;
    }
    if (magnitude == F::infinity) {
      ASSERT_EQ(wide, (bits & 0x8000u) != 0 ? -INFINITY : INFINITY);
    } else {
      ASSERT_EQ(static_cast<double>(wide), value_of_bits(bits, F::fraction, F::bias)) << bits;
      ASSERT_EQ(std::signbit(wide), (bits & 0x8000u) != 0) << bits;
    }
    ASSERT_EQ(bits_of<TypeParam>(wide), bits);
  }
}

TYPED_TEST(Number16, RoundsToNearestWithTiesToEven) {
  using F = Format<TypeParam>;
  for (std::uint32_t bits = 0; bits + 1 < F::infinity; ++bits) {
    const double below = value_of_bits(bits, F::fraction, F::bias);
    const double above = value_of_bits(bits + 1, F::fraction, F::bias);
    const auto tie = static_cast<float>((below + above) / 2);
    if (static_cast<double>(tie) != (below + above) / 2) continue;  // below float's least number
    const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(bits_of<TypeParam>(tie), even) << bits;
    ASSERT_EQ(bits_of<TypeParam>(-tie), even | 0x8000u) << bits;
    ASSERT_EQ(bits_of<TypeParam>(std::nextafter(tie, 0.0f)), bits) << bits;
    ASSERT_EQ(bits_of<TypeParam>(std::nextafter(tie, INFINITY)), bits + 1) << bits;
  }
}

TYPED_TEST(Number16, OverflowsToInfinityFromHalfAStepAboveTheLargestNumber) {
  using F = Format<TypeParam>;
  const double largest = value_of_bits(F::infinity - 1, F::fraction, F::bias);
  const double step = largest - value_of_bits(F::infinity - 2, F::fraction, F::bias);
  const auto edge = static_cast<float>(largest + step / 2);
  EXPECT_EQ(bits_of<TypeParam>(edge), F::infinity);
  EXPECT_EQ(bits_of<TypeParam>(std::nextafter(edge, 0.0f)), F::infinity - 1);
  EXPECT_EQ(bits_of<TypeParam>(-std::numeric_limits<float>::max()), F::infinity | 0x8000u);
}

TEST(Number, FloatAndDoublePassUnchanged) {
  EXPECT_EQ(narrow<float>(widen(0.1f)), 0.1f);
  EXPECT_EQ(narrow<double>(widen(0.1)), 0.1);
}

TEST(Number, EachDataTypeHasItsCppType) {
  for (const DataType type :
       {DataType::float32, DataType::float64, DataType::bfloat16, DataType::float16}) {
    with_number(type, [&]<class T>(T) {
      EXPECT_EQ(sizeof(T), size_of(type)) << name_of(type);
      EXPECT_EQ(sizeof(Wide<T>), size_of(state_type(type))) << name_of(type);
    });
  }
  EXPECT_STREQ(name_of(DataType::bfloat16), "bfloat16");
  EXPECT_STREQ(name_of(DataType::float16), "float16");
}

}  // namespace
}  // namespace sluice::test
