// mma.sync of the imagined GPU, and the wrappers of kernels/time_loops/persistent/mma.h on it:
// which lane's register is which element is taken from the PTX manual here, once more and written
// another way.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "faults/experiment.h"
#include "kernels/time_loops/persistent/mma.h"

namespace cuda_on_cpu::faults {
namespace {

using sluice::cuda::launch;
using sluice::cuda::Tf32;

/// Row-major a [16, k], b [k, 8], d [16, 8], one warp. Register r of a, number i of it ("row =
/// groupID for a_i where i is 0, 1, 4, 5 ..., groupID + 8 otherwise"), and so on.
template <class T, int k>
__global__ void multiply(const float* a, const float* b, float* d) {
  const int group = static_cast<int>(threadIdx.x) >> 2,
            in_group = static_cast<int>(threadIdx.x) % 4;
  std::uint32_t words_a[4] = {}, words_b[2] = {};
  if constexpr (k == 16) {
    for (int i = 0; i < 8; ++i) {
      const int row = i / 2 % 2 == 0 ? group : group + 8;
      const int column = in_group * 2 + (i & 1) + (i < 4 ? 0 : 8);
      const auto bits = std::bit_cast<std::uint16_t>(sluice::narrow<T>(a[row * k + column]));
      words_a[i / 2] |= static_cast<std::uint32_t>(bits) << 16 * (i % 2);
    }
    for (int i = 0; i < 4; ++i) {
      const int row = in_group * 2 + (i & 1) + (i < 2 ? 0 : 8);
      const auto bits = std::bit_cast<std::uint16_t>(sluice::narrow<T>(b[row * 8 + group]));
      words_b[i / 2] |= static_cast<std::uint32_t>(bits) << 16 * (i % 2);
    }
  } else {
    for (int i = 0; i < 4; ++i) {
      const int row = i % 2 == 0 ? group : group + 8, column = i < 2 ? in_group : in_group + 4;
      words_a[i] = __float_as_uint(sluice::cuda::round_to_tf32(a[row * k + column]));
    }
    for (int i = 0; i < 2; ++i) {
      words_b[i] = __float_as_uint(sluice::cuda::round_to_tf32(b[(in_group + 4 * i) * 8 + group]));
    }
  }
  float sums[4];
  for (int i = 0; i < 4; ++i) sums[i] = d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)];
  sluice::cuda::multiply_add<T>(sums, uint4{words_a[0], words_a[1], words_a[2], words_a[3]},
                                words_b[0], words_b[1]);
  for (int i = 0; i < 4; ++i) d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)] = sums[i];
}

/// Whole numbers, which every type holds and adds up exactly.
std::vector<float> whole(int count, int seed) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>((i * 7 + seed) % 11 - 5));
  return values;
}

template <class T, int k>
void check() {
  const std::vector<float> a = whole(16 * k, 3), b = whole(k * 8, 1), d = whole(16 * 8, 6);
  std::vector<float> expected = d;
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      for (int i = 0; i < k; ++i) expected[row * 8 + column] += a[row * k + i] * b[i * 8 + column];
    }
  }
  const DeviceArray<float> on_a(a), on_b(b), on_d(d);
  launch(multiply<T, k>, {.grid = {1}, .block = {32}}, on_a.data(), on_b.data(), on_d.data());
  EXPECT_EQ(on_d.get(), expected);
}

TEST(MatrixProduct, IsThatOfItsMatrices) {
  check<sluice::BFloat16, 16>();
  check<sluice::Float16, 16>();
  check<Tf32, 8>();
}

TEST(MatrixProduct, Tf32RoundsTiesAwayFromZero) {
  const float ulp = std::ldexp(1.0f, -10);
  EXPECT_EQ(sluice::cuda::round_to_tf32(1.0f + ulp / 2), 1.0f + ulp);
  EXPECT_EQ(sluice::cuda::round_to_tf32(1.0f + ulp * 0.49f), 1.0f);
  EXPECT_EQ(sluice::cuda::round_to_tf32(-1.0f - ulp / 2), -1.0f - ulp);
  EXPECT_TRUE(std::isnan(sluice::cuda::round_to_tf32(std::nanf(""))));
}

}  // namespace
}  // namespace cuda_on_cpu::faults
