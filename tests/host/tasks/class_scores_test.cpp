#include "host/tasks/class_scores.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(PredictedClass, OneNumberIsTheProbabilityOfClassOne) {
  const float high = 0.75f, low = 0.25f, half = 0.5f;
  EXPECT_EQ(predicted_class(&high, 1), 1);
  EXPECT_EQ(predicted_probability(&high, 1), 0.75f);
  EXPECT_EQ(predicted_class(&low, 1), 0);
  EXPECT_EQ(predicted_probability(&low, 1), 0.75f);
  EXPECT_EQ(predicted_class(&half, 1), 0);
}

TEST(PredictedClass, TheFirstOfTheLargest) {
  const float values[] = {0.2f, 0.4f, 0.4f};
  EXPECT_EQ(predicted_class(values, 3), 1);
  EXPECT_EQ(predicted_probability(values, 3), 0.4f);
}

}  // namespace
}  // namespace sluice
