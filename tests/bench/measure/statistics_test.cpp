#include "bench/measure/statistics.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

TEST(Statistics, PercentilesAreInterpolated) {
  const Statistics found = statistics({5, 1, 4, 2, 3});
  EXPECT_DOUBLE_EQ(found.mean, 3);
  EXPECT_DOUBLE_EQ(found.median, 3);
  EXPECT_DOUBLE_EQ(found.p10, 1.4);
  EXPECT_DOUBLE_EQ(found.p90, 4.6);
  EXPECT_NEAR(found.stddev, 1.5811388, 1e-6);
  EXPECT_NEAR(found.cv, 1.5811388 / 3, 1e-6);
  EXPECT_DOUBLE_EQ(statistics({1, 2}).median, 1.5);
  EXPECT_DOUBLE_EQ(statistics({7}).stddev, 0);
}

TEST(Statistics, GeometricMean) {
  EXPECT_DOUBLE_EQ(geometric_mean({0.5, 2.0}), 1.0);
  EXPECT_NEAR(geometric_mean({1, 10, 100}), 10, 1e-12);
  EXPECT_EQ(geometric_mean({}), 0);
}

}  // namespace
}  // namespace sluice::bench
