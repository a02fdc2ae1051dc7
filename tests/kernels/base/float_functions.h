// Functions of float32 against the exact ones: which numbers, and how far off.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace sluice::test {

inline constexpr float kLeastNormal = std::numeric_limits<float>::min();

/// tanh(x), sigmoid(x) and sigmoid(-x) for x >= 0, to double's accuracy, cheaply where they are
/// simple.
struct Exact {
  double tanh, sigmoid, sigmoid_of_minus;

  explicit Exact(double x) {
    if (x < 0x1p-13) {
      tanh = x - x * x * x / 3;
      sigmoid = 0.5 + x / 4;
      sigmoid_of_minus = 0.5 - x / 4;
    } else if (x < 128) {
      const double e = std::exp(-x);
      tanh = x < 20 ? std::tanh(x) : 1.0;
      sigmoid = 1 / (1 + e);
      sigmoid_of_minus = e / (1 + e);
    } else {
      tanh = sigmoid = 1.0;
      sigmoid_of_minus = 0.0;
    }
  }
};

/// |actual - exact| in units of the last place of the float nearest `exact`.
inline double ulps(float actual, double exact) {
  const float nearest = static_cast<float>(std::abs(exact));
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  const int exponent = std::max(static_cast<int>(bits >> 23), 1);  // denormals have that of 2^-126
  const double unit = std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 896 - 23) << 52);
  return std::abs(static_cast<double>(actual) - exact) / unit;
}

/// Visits the numbers >= 0, infinity and NaNs at the end, `stride` apart in their order, and from
/// all of them those near the ends of the functions' ranges.
class Sweep {
 public:
  explicit Sweep(std::uint32_t stride) : stride_(stride) {}

  template <class Visit>
  void blocks(std::size_t most, Visit&& visit) const {
    std::vector<float> x;
    const auto add = [&](std::uint32_t bits) {
      x.push_back(std::bit_cast<float>(bits));
      if (x.size() == most) visit(x), x.clear();
    };
    for (std::uint64_t bits = 0; bits < 0x80000000u; bits += stride_)
      add(static_cast<std::uint32_t>(bits));
    if (stride_ > 1) {
      for (const float edge : {0.0f, kLeastNormal, 0x1p-12f, 7.9053111f, 7.9988117f, 9.0109f,
                               16.63553f, 17.32868f, 87.3f, 87.33655f, 88.0f, 88.72284f, 103.9721f,
                               std::numeric_limits<float>::infinity()}) {
        const auto middle = std::bit_cast<std::uint32_t>(edge);
        for (std::uint32_t i = middle < 100 ? 0 : middle - 100; i < middle + 100; ++i) add(i);
      }
    }
    x.resize(most, 0.0f);
    visit(x);
  }

 private:
  std::uint32_t stride_;
};

/// What a value may fall short of the greatest so far, as x rises: both are off by the bound at
// most.
class Rising {
 public:
  explicit Rising(double bound) : most_(2 * bound) {}
  void add(float x, float y) {
    if (y >= greatest_) {
      greatest_ = y;
    } else if (y < greatest_) {
      ASSERT_LE(ulps(y, double{greatest_}), most_) << "falls at " << x;
    }
  }

 private:
  double most_;
  float greatest_ = -1.0f;
};

}  // namespace sluice::test
