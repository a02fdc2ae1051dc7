#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kernels/philox.h"
#include "tests/kernels/test_device.h"

namespace sluice::test {
namespace {

template <class Number>
std::vector<Number> numbers(std::int64_t count, std::uint32_t seed) {
  std::vector<Number> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto block = Philox::draw({{static_cast<std::uint32_t>(i), 0, 0, 0}}, seed, 0);
    values[i] = static_cast<Number>(2.0 * Philox::uniform(block.word[0]) - 1.0);
  }
  return values;
}

struct Product {
  std::int64_t m, n, k;
};

/// C = alpha op(A) op(B) + beta C in double, with rows longer than needed, `batch` times.
template <class Number>
void check(const Queue& queue, const Product& size, bool transpose_a, bool transpose_b,
           double alpha, double beta, std::int64_t batch) {
  const auto& [m, n, k] = size;
  GemmArgs args;
  args.type = std::is_same_v<Number, double> ? DataType::float64 : DataType::float32;
  args.transpose_a = transpose_a;
  args.transpose_b = transpose_b;
  args.m = m;
  args.n = n;
  args.k = k;
  args.alpha = alpha;
  args.beta = beta;
  args.lda = (transpose_a ? m : k) + 1;
  args.ldb = (transpose_b ? k : n) + 2;
  args.ldc = n + 3;
  args.batch = batch;
  args.stride_a = (transpose_a ? k : m) * args.lda + 5;
  args.stride_b = (transpose_b ? n : k) * args.ldb;
  args.stride_c = m * args.ldc + 7;
  const auto a = numbers<Number>(batch * args.stride_a, 1), b = numbers<Number>(batch * args.stride_b, 2);
  auto c = numbers<Number>(batch * args.stride_c, 3);
  if (beta == 0) {  // what was there must not matter
    for (Number& value : c) value = std::numeric_limits<Number>::quiet_NaN();
  }
  const GuardedBuffer a_memory(queue, a), b_memory(queue, b), c_memory(queue, c);
  args.a = a_memory.data();
  args.b = b_memory.data();
  args.c = c_memory.data();
  gemm(queue, args);

  const auto got = c_memory.get<Number>();
  EXPECT_TRUE(c_memory.guards_intact());
  // The sum of |a b| is about k / 4; its roundings add up no worse than linearly.
  const double bound = std::numeric_limits<Number>::epsilon() * (static_cast<double>(k) / 2 + 8);
  std::vector<bool> inside(c.size(), false);
  for (std::int64_t p = 0; p < batch; ++p) {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t l = 0; l < k; ++l) {
          sum += double{a[p * args.stride_a + (transpose_a ? l * args.lda + i : i * args.lda + l)]} *
                 double{b[p * args.stride_b + (transpose_b ? j * args.ldb + l : l * args.ldb + j)]};
        }
        const std::int64_t at = p * args.stride_c + i * args.ldc + j;
        inside[at] = true;
        const double expected = alpha * sum + (beta == 0 ? 0 : beta * double{c[at]});
        ASSERT_NEAR(got[at], expected, bound * std::max(1.0, std::abs(alpha)))
            << "at " << p << ", " << i << ", " << j;
      }
    }
  }
  for (std::size_t at = 0; at < c.size(); ++at) {
    if (inside[at] || std::isnan(c[at])) continue;
    ASSERT_EQ(got[at], c[at]) << "written between the rows of C";
  }
}

class Gemm : public ::testing::TestWithParam<std::tuple<DataType, DeviceKind>> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(std::get<1>(GetParam())); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

TEST_P(Gemm, IsTheProductInEveryForm) {
  const auto [type, kind] = GetParam();
  const TestDevice device(kind, 2);
  const auto run = type == DataType::float64 ? check<double> : check<float>;
  const Product sizes[] = {{1, 1, 1},  {3, 5, 7},    {64, 256, 64}, {1, 192, 33},
                           {17, 1, 9}, {130, 70, 5}, {65, 129, 257}};
  for (const Product& size : sizes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        run(device.queue(), size, transpose_a, transpose_b, 1, 0, 1);
        run(device.queue(), size, transpose_a, transpose_b, 1, 1, 1);
      }
    }
  }
}

TEST_P(Gemm, ScalesAndRepeats) {
  const auto [type, kind] = GetParam();
  const TestDevice device(kind, 2);
  const auto run = type == DataType::float64 ? check<double> : check<float>;
  run(device.queue(), {9, 11, 13}, false, true, 0.5, 0, 1);
  run(device.queue(), {9, 11, 13}, true, false, -2, 0.25, 1);
  run(device.queue(), {9, 11, 13}, false, false, 1, 0, 3);
  run(device.queue(), {9, 11, 13}, true, true, 1, 1, 2);
}

TEST_P(Gemm, LongSumsAsInWeightGradients) {
  const auto [type, kind] = GetParam();
  const TestDevice device(kind, 2);
  const auto run = type == DataType::float64 ? check<double> : check<float>;
  run(device.queue(), {48, 31, 6001}, true, false, 1, 0, 1);
}

TEST_P(Gemm, NothingToSumLeavesBetaC) {
  const auto [type, kind] = GetParam();
  const TestDevice device(kind, 1);
  const auto run = type == DataType::float64 ? check<double> : check<float>;
  run(device.queue(), {4, 6, 0}, false, false, 1, 0, 1);
  run(device.queue(), {4, 6, 0}, false, false, 1, 0.5, 1);
  run(device.queue(), {0, 6, 3}, false, false, 1, 1, 1);
  run(device.queue(), {4, 0, 3}, false, false, 1, 1, 1);
}

INSTANTIATE_TEST_SUITE_P(All, Gemm,
                         ::testing::Combine(::testing::Values(DataType::float32, DataType::float64),
                                            ::testing::Values(DeviceKind::cpu, DeviceKind::cuda)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) == DataType::float64
                                                  ? "float64_"
                                                  : "float32_") +
                                  name_of(std::get<1>(test.param));
                         });

TEST(GemmThreads, BitsDoNotDependOnTheirNumber) {
  for (const Product& size : {Product{601, 256, 128}, Product{256, 128, 3001}, Product{64, 256, 64}}) {
    for (const bool transpose_a : {false, true}) {
      const auto a = numbers<float>(size.m * size.k, 1), b = numbers<float>(size.k * size.n, 2);
      std::vector<float> first;
      for (const int threads : {1, 2, 3}) {
        const TestDevice device(DeviceKind::cpu, threads);
        std::vector<float> c(static_cast<std::size_t>(size.m * size.n));
        GemmArgs args;
        args.transpose_a = transpose_a;
        args.m = size.m;
        args.n = size.n;
        args.k = size.k;
        args.a = a.data();
        args.lda = transpose_a ? size.m : size.k;
        args.b = b.data();
        args.ldb = size.n;
        args.c = c.data();
        args.ldc = size.n;
        gemm(device.queue(), args);
        if (first.empty()) first = c;
        EXPECT_TRUE(c == first) << threads << " threads";
      }
    }
  }
}

TEST(GemmArguments, RefusesNegativeSizesShortRowsAndNullPointers) {
  const Queue queue;
  std::vector<float> memory(64);
  GemmArgs args;
  args.m = args.n = args.k = 4;
  args.a = args.b = memory.data();
  args.c = memory.data() + 32;
  args.lda = args.ldb = args.ldc = 4;
  const auto refused = [&](auto spoil) {
    GemmArgs bad = args;
    spoil(bad);
    try {
      gemm(queue, bad);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::usage);
    }
  };
  refused([](GemmArgs& bad) { bad.m = -1; });
  refused([](GemmArgs& bad) { bad.k = -1; });
  refused([](GemmArgs& bad) { bad.lda = 3; });
  refused([](GemmArgs& bad) { bad.ldb = 3; });
  refused([](GemmArgs& bad) { bad.ldc = 3; });
  refused([](GemmArgs& bad) { bad.c = nullptr; });
  refused([](GemmArgs& bad) { bad.a = nullptr; });
}

}  // namespace
}  // namespace sluice::test
