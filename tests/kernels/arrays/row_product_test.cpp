// Products by each instruction set's own kernel, against double, and cut in every way.
#include "kernels/arrays/row_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/kernels/device_fixture.h"
#include "tests/kernels/instruction_sets.h"

namespace sluice::test {
namespace {

// The numbers of a product, rows longer than needed.
struct Numbers {
  std::int64_t m, n, k, lda, ldb, ldc;
  bool transpose_b;
  std::vector<float> a, b, c;

  Numbers(std::int64_t rows, std::int64_t columns, std::int64_t depth, bool transposed)
      : m(rows),
        n(columns),
        k(depth),
        lda(k + 1),
        ldb((transposed ? k : n) + 2),
        ldc(n + 3),
        transpose_b(transposed),
        a(random_numbers<float>(m * lda, 1)),
        b(random_numbers<float>((transposed ? n : k) * ldb, 2)),
        c(random_numbers<float>(m * ldc, 3)) {}

  RowProduct product(float* to, float beta) const {
    return {.m = m,
            .n = n,
            .k = k,
            .beta = beta,
            .a = a.data(),
            .lda = lda,
            .transpose_b = transpose_b,
            .b = b.data(),
            .ldb = ldb,
            .c = to,
            .ldc = ldc};
  }
  // The sum, and that of the absolute values.
  std::pair<double, double> sum(std::int64_t i, std::int64_t j) const {
    double sum = 0.0, size = 0.0;
    for (std::int64_t l = 0; l < k; ++l) {
      const double term =
          double{a[i * lda + l]} * double{b[transpose_b ? j * ldb + l : l * ldb + j]};
      sum += term;
      size += std::abs(term);
    }
    return {sum, size};
  }
};

class RowProducts : public ::testing::TestWithParam<InstructionSet> {
 protected:
  void multiply(const RowProduct& p) const { SLUICE_IN_EACH_SET(row_product).of(GetParam())(p); }

  void expect_right(const Numbers& numbers, const std::vector<std::pair<double, double>>& sums,
                    float beta) const {
    std::vector<float> c = numbers.c;
    if (beta == 0.0f) {  // what was there must not matter
      for (float& x : c) x = std::numeric_limits<float>::quiet_NaN();
    }
    multiply(numbers.product(c.data(), beta));
    for (std::int64_t i = 0; i < numbers.m; ++i) {
      for (std::int64_t j = 0; j < numbers.ldc; ++j) {
        const auto at = static_cast<std::size_t>(i * numbers.ldc + j);
        if (j >= numbers.n) {
          ASSERT_TRUE(beta == 0.0f ? std::isnan(c[at]) : c[at] == numbers.c[at])
              << "written beyond a row";
          continue;
        }
        const auto [sum, size] = sums[static_cast<std::size_t>(i * numbers.n + j)];
        const double added = beta == 0.0f ? 0.0 : beta * double{numbers.c[at]};
        // Each addition rounds what is at most the sum of the absolute values.
        const double rounding = std::numeric_limits<float>::epsilon() / 2 *
                                static_cast<double>(numbers.k + 3) * (size + std::abs(added));
        ASSERT_NEAR(double{c[at]}, sum + added, rounding) << "at " << i << ", " << j;
      }
    }
  }
};

TEST_P(RowProducts, AreRight) {
  for (const bool transpose_b : {false, true}) {
    for (const std::int64_t m : {1, 2, 7, 23, 130}) {
      for (const std::int64_t n : {1, 3, 4, 8, 15, 16, 17, 31, 64, 81}) {
        for (const std::int64_t k : {1, 7, 16, 33, 259, 530}) {
          SCOPED_TRACE(std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k));
          const Numbers numbers(m, n, k, transpose_b);
          std::vector<std::pair<double, double>> sums;
          for (std::int64_t i = 0; i < m * n; ++i) sums.push_back(numbers.sum(i / n, i % n));
          for (const float beta : {0.0f, 1.0f, -2.0f}) expect_right(numbers, sums, beta);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(RowProducts, HaveTheSameBitsHoweverTheyAreCut) {
  for (const bool transpose_b : {false, true}) {
    const Numbers numbers(150, 131, 530, transpose_b);
    std::vector<float> all = numbers.c;
    multiply(numbers.product(all.data(), 1.0f));
    for (const std::int64_t rows : {1, 6, 7, 128, 129}) {
      for (const std::int64_t columns : {1, 16, 48, 100, 131}) {
        std::vector<float> c = numbers.c;
        for (std::int64_t i = 0; i < numbers.m; i += rows) {
          for (std::int64_t j = 0; j < numbers.n; j += columns) {
            RowProduct part = numbers.product(c.data() + i * numbers.ldc + j, 1.0f);
            part.m = std::min(rows, numbers.m - i);
            part.n = std::min(columns, numbers.n - j);
            part.a += i * numbers.lda;
            part.b += transpose_b ? j * numbers.ldb : j;
            multiply(part);
          }
        }
        EXPECT_EQ(std::memcmp(c.data(), all.data(), c.size() * sizeof(float)), 0)
            << rows << " rows and " << columns << " columns at a time";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RowProducts, ::testing::ValuesIn(instruction_sets()),
                         [](const auto& set) { return std::string(sluice::name_of(set.param)); });

}  // namespace
}  // namespace sluice::test
