// Tests that run once on each kind of device, and numbers to run them on.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/base/number.h"
#include "tests/kernels/test_device.h"

namespace sluice::test {

/// Parameterised by device; skips, with the reason, where there is none of its kind.
class OnEachDevice : public ::testing::TestWithParam<DeviceKind> {
 protected:
  void SetUp() override {
    const std::string problem = why_unavailable(GetParam());
    if (!problem.empty()) GTEST_SKIP() << problem;
    device_ = std::make_unique<TestDevice>(GetParam());
  }
  const Queue& queue() const { return device_->queue(); }

 private:
  std::unique_ptr<TestDevice> device_;
};

#define SLUICE_INSTANTIATE_ON_EACH_DEVICE(suite)                           \
  INSTANTIATE_TEST_SUITE_P(                                                \
      Device, suite, ::testing::Values(DeviceKind::cpu, DeviceKind::cuda), \
      [](const ::testing::TestParamInfo<DeviceKind>& kind) { return name_of(kind.param); })

template <class T>
constexpr DataType type_of = std::is_same_v<T, double>     ? DataType::float64
                             : std::is_same_v<T, BFloat16> ? DataType::bfloat16
                             : std::is_same_v<T, Float16>  ? DataType::float16
                                                           : DataType::float32;

/// Rounding allowed in T, relative to the size of the numbers that are added up. For 16-bit types,
/// whose sums are float32's, that of the one rounding when the result is stored.
template <class T>
constexpr double tolerance = std::is_same_v<T, double>     ? 1e-12
                             : std::is_same_v<T, BFloat16> ? 0x1p-8
                             : std::is_same_v<T, Float16>  ? 0x1p-11
                                                           : 2e-6;

/// A number of any type as a double.
template <class T>
double value_of(T x) {
  return static_cast<double>(widen(x));
}

/// Uniform in [-1, 1); the same on every machine.
template <class T>
std::vector<T> random_numbers(std::int64_t count, std::uint32_t seed = 1) {
  std::mt19937 generator(seed);
  std::vector<T> numbers(static_cast<std::size_t>(count));
  for (T& x : numbers) x = narrow<T>(static_cast<Wide<T>>(generator() / 2147483648.0 - 1.0));
  return numbers;
}

/// In [0, below).
inline std::vector<std::int32_t> random_integers(std::int64_t count, std::uint32_t below,
                                                 std::uint32_t seed = 1) {
  std::mt19937 generator(seed);
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(count));
  for (std::int32_t& x : numbers) x = static_cast<std::int32_t>(generator() % below);
  return numbers;
}

/// |actual - expected| <= allowed for every element.
template <class T>
void expect_near(const std::vector<T>& actual, const std::vector<double>& expected,
                 double allowed) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(value_of(actual[i]), expected[i], allowed) << "element " << i;
  }
}

inline void expect_usage_error(const std::function<void()>& call, const std::string& mentions) {
  try {
    call();
    FAIL() << "expected an error that mentions '" << mentions << "'";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find(mentions), std::string::npos) << error.what();
  }
}

/// The bits that `compute(queue)` gives are the same on 1, 2 and 3 threads.
template <class T>
void expect_same_bits_on_any_threads(const std::function<std::vector<T>(const Queue&)>& compute) {
  const TestDevice one(DeviceKind::cpu, 1);
  const std::vector<T> expected = compute(one.queue());
  for (const int threads : {2, 3}) {
    const TestDevice team(DeviceKind::cpu, threads);
    const std::vector<T> actual = compute(team.queue());
    ASSERT_EQ(actual.size(), expected.size());
    EXPECT_EQ(std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(T)), 0)
        << threads << " threads";
  }
}

}  // namespace sluice::test
