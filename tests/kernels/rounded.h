// What kernels on 16-bit numbers are held to: they do what they do on the float32 numbers that
// those stand for, and round once at the end.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/kernels/device_fixture.h"

namespace sluice::test {

/// run<S>(queue) for both 16-bit types.
#define SLUICE_FOR_16_BIT_TYPES(run) \
  {                                  \
    SCOPED_TRACE("bfloat16");        \
    run<BFloat16>(queue());          \
  }                                  \
  {                                  \
    SCOPED_TRACE("float16");         \
    run<Float16>(queue());           \
  }

template <class S>
std::vector<float> widened(const std::vector<S>& numbers) {
  std::vector<float> wide;
  for (const S x : numbers) wide.push_back(widen(x));
  return wide;
}

/// `got` is `wide` rounded to S. Two kernels may differ in float32's last bits before they round.
template <class S>
void expect_rounded(const char* name, const std::vector<S>& got, const std::vector<float>& wide) {
  ASSERT_EQ(got.size(), wide.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double allowed = tolerance<S> * std::abs(double{wide[i]}) + 2e-6;
    ASSERT_NEAR(value_of(got[i]), wide[i], allowed) << name << " at " << i;
  }
}
template <>
inline void expect_rounded(const char* name, const std::vector<float>& got,
                           const std::vector<float>& wide) {
  ASSERT_EQ(got.size(), wide.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], wide[i], 2e-6 * std::max(1.0f, std::abs(wide[i]))) << name << " at " << i;
  }
}

/// The same numbers for a run in S and for one in float32.
template <class T, class S>
std::vector<T> as(const std::vector<S>& numbers) {
  std::vector<T> same;
  for (const S x : numbers) same.push_back(narrow<T>(widen(x)));
  return same;
}

}  // namespace sluice::test
