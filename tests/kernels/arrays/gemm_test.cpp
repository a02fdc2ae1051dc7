#include "kernels/arrays/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kernels/base/number.h"
#include "kernels/base/philox.h"
#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

template <class Number>
std::vector<Number> numbers(std::int64_t count, std::uint32_t seed) {
  std::vector<Number> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto block = Philox::draw({{static_cast<std::uint32_t>(i), 0, 0, 0}}, seed, 0);
    values[i] =
        narrow<Number>(static_cast<Wide<Number>>(2.0 * Philox::uniform(block.word[0]) - 1.0));
  }
  return values;
}

/// What a product is asked for beside its size.
struct Form {
  bool transpose_a = false, transpose_b = false;
  double beta = 0.0;
  MatrixMath math = MatrixMath::ieee;
  bool rows_apart = false;
};

struct Product {
  std::int64_t m, n, k;
};

double as_double(double x) { return x; }

/// To 10 bits of fraction, ties away from zero.
double as_tf32(double x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::round(std::ldexp(fraction, 11)), exponent - 11);
}

/// C = op(A) op(B) + beta C against double, with rows longer than needed. The factors are of type
/// In, C of type Out.
template <class In, class Out>
void check(const Queue& queue, const Product& size, const Form& form) {
  const auto& [m, n, k] = size;
  GemmArgs args;
  args.type = type_of<In>;
  args.wide_c = !std::is_same_v<In, Out>;
  args.math = form.math;
  args.rows_apart = form.rows_apart;
  args.transpose_a = form.transpose_a;
  args.transpose_b = form.transpose_b;
  args.m = m;
  args.n = n;
  args.k = k;
  args.beta = form.beta;
  args.lda = (form.transpose_a ? m : k) + 1;
  args.ldb = (form.transpose_b ? k : n) + 2;
  args.ldc = n + 3;
  const auto a = numbers<In>((form.transpose_a ? k : m) * args.lda, 1),
             b = numbers<In>((form.transpose_b ? n : k) * args.ldb, 2);
  auto c = numbers<Out>(m * args.ldc, 3);
  if (form.beta == 0) {  // what was there must not matter
    for (Out& value : c) value = narrow<Out>(std::numeric_limits<Wide<Out>>::quiet_NaN());
  }
  const GuardedBuffer a_memory(queue, a), b_memory(queue, b), c_memory(queue, c);
  args.a = a_memory.data();
  args.b = b_memory.data();
  args.c = c_memory.data();
  gemm(queue, args);

  const auto got = c_memory.get<Out>();
  EXPECT_TRUE(c_memory.guards_intact());
  const bool rounds = form.math == MatrixMath::tf32 && queue.device == DeviceKind::cuda &&
                      type_of<In> == DataType::float32;
  const auto factor = rounds ? as_tf32 : as_double;
  // The sum of |a b| is about k / 4; its roundings add up no worse than linearly. C is rounded
  // once.
  const double sum_bound =
      std::numeric_limits<Wide<In>>::epsilon() * (static_cast<double>(k) / 2 + 8);
  const double rounding = sizeof(Out) == 2 ? tolerance<Out> : 0.0;
  std::vector<bool> inside(c.size(), false);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < k; ++l) {
        sum += factor(value_of(a[form.transpose_a ? l * args.lda + i : i * args.lda + l])) *
               factor(value_of(b[form.transpose_b ? j * args.ldb + l : l * args.ldb + j]));
      }
      const std::int64_t at = i * args.ldc + j;
      inside[at] = true;
      const double expected = sum + (form.beta == 0 ? 0 : form.beta * value_of(c[at]));
      ASSERT_NEAR(value_of(got[at]), expected, sum_bound + rounding * std::abs(expected))
          << "at " << i << ", " << j;
    }
  }
  for (std::size_t at = 0; at < c.size(); ++at) {
    if (inside[at] || std::isnan(value_of(c[at]))) continue;
    ASSERT_EQ(value_of(got[at]), value_of(c[at])) << "written between the rows of C";
  }
}

using Check = void (*)(const Queue&, const Product&, const Form&);

/// The types of a product: of A and B, and whether C is wider.
struct Types {
  const char* name;
  Check check;
  friend std::ostream& operator<<(std::ostream& out, const Types& types) {
    return out << types.name;
  }
};
constexpr Types all_types[] = {
    {"float32", check<float, float>},        {"float64", check<double, double>},
    {"bfloat16", check<BFloat16, BFloat16>}, {"bfloat16_to_float32", check<BFloat16, float>},
    {"float16", check<Float16, Float16>},    {"float16_to_float32", check<Float16, float>}};

class Gemm : public ::testing::TestWithParam<std::tuple<Types, DeviceKind>> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(std::get<1>(GetParam())); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

TEST_P(Gemm, IsTheProductInEveryForm) {
  const auto [types, kind] = GetParam();
  const TestDevice device(kind, 2);
  const Product sizes[] = {{1, 1, 1},  {3, 5, 7},    {64, 256, 64}, {1, 192, 33},
                           {17, 1, 9}, {130, 70, 5}, {65, 129, 257}};
  for (const Product& size : sizes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        types.check(device.queue(), size, {.transpose_a = transpose_a, .transpose_b = transpose_b});
        types.check(device.queue(), size,
                    {.transpose_a = transpose_a, .transpose_b = transpose_b, .beta = 1});
        types.check(device.queue(), size,
                    {.transpose_a = transpose_a,
                     .transpose_b = transpose_b,
                     .beta = 1,
                     .rows_apart = true});
      }
    }
  }
}

TEST_P(Gemm, AddsAnyPartOfWhatWasThere) {
  const auto [types, kind] = GetParam();
  const TestDevice device(kind, 2);
  types.check(device.queue(), {9, 11, 13}, {.transpose_a = true, .beta = 0.25});
  types.check(device.queue(), {9, 11, 13}, {.beta = -0.5, .rows_apart = true});
}

TEST_P(Gemm, LongSumsAsInWeightGradients) {
  const auto [types, kind] = GetParam();
  const TestDevice device(kind, 2);
  types.check(device.queue(), {48, 31, 6001}, {.transpose_a = true});
}

TEST_P(Gemm, NothingToSumLeavesBetaC) {
  const auto [types, kind] = GetParam();
  const TestDevice device(kind, 1);
  types.check(device.queue(), {4, 6, 0}, {});
  types.check(device.queue(), {4, 6, 0}, {.beta = 0.5});
  types.check(device.queue(), {0, 6, 3}, {.beta = 1});
  types.check(device.queue(), {4, 0, 3}, {.beta = 1});
}

TEST_P(Gemm, Tf32RoundsTheFactorsOfFloat32OnCudaAlone) {
  const auto [types, kind] = GetParam();
  const TestDevice device(kind, 1);
  types.check(device.queue(), {5, 7, 40}, {.transpose_b = true, .math = MatrixMath::tf32});
}

INSTANTIATE_TEST_SUITE_P(All, Gemm,
                         ::testing::Combine(::testing::ValuesIn(all_types),
                                            ::testing::Values(DeviceKind::cpu, DeviceKind::cuda)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  name_of(std::get<1>(test.param));
                         });

TEST(GemmThreads, BitsDoNotDependOnTheirNumber) {
  for (const Product& size :
       {Product{601, 256, 128}, Product{256, 128, 3001}, Product{64, 256, 64}}) {
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

// The first rows of a product with any number of rows after them.
template <class In, class Out>
void check_rows_apart(bool transpose_b) {
  const TestDevice device(DeviceKind::cpu, 1);
  constexpr std::int64_t most = 700, n = 97, k = 300;
  const auto a = numbers<In>(most * k, 1), b = numbers<In>(k * n, 2);
  const auto product = [&](std::int64_t m) {
    std::vector<Out> c(static_cast<std::size_t>(m * n));
    gemm(device.queue(), {.type = type_of<In>,
                          .wide_c = !std::is_same_v<In, Out>,
                          .rows_apart = true,
                          .transpose_b = transpose_b,
                          .m = m,
                          .n = n,
                          .k = k,
                          .a = a.data(),
                          .lda = k,
                          .b = b.data(),
                          .ldb = transpose_b ? k : n,
                          .c = c.data(),
                          .ldc = n});
    return c;
  };
  const std::vector<Out> all = product(most);
  for (const std::int64_t m : {1, 2, 3, 5, 15, 16, 17, 64, 65, 255, 256, 257, 600}) {
    const std::vector<Out> some = product(m);
    EXPECT_EQ(std::memcmp(some.data(), all.data(), some.size() * sizeof(Out)), 0) << m << " rows";
  }
}

TEST(GemmRowsApart, HaveTheSameBitsHoweverManyThereAre) {
  for (const bool transpose_b : {false, true}) {
    SCOPED_TRACE(transpose_b ? "B transposed" : "B as it is");
    check_rows_apart<float, float>(transpose_b);
    check_rows_apart<double, double>(transpose_b);
    check_rows_apart<BFloat16, BFloat16>(transpose_b);
    check_rows_apart<BFloat16, float>(transpose_b);
    check_rows_apart<Float16, Float16>(transpose_b);
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
