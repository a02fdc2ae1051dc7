#include "host/training/classification_metrics.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ClassificationMetrics, TwoClassesByHand) {
  ClassificationMetrics metrics(2);
  for (int i = 0; i < 3; ++i) metrics.add(1, 1);  // true positives
  metrics.add(0, 1);                              // false positive
  metrics.add(1, 0);                              // false negatives
  metrics.add(1, 0);
  for (int i = 0; i < 4; ++i) metrics.add(0, 0);
  EXPECT_EQ(metrics.examples(), 10);
  EXPECT_DOUBLE_EQ(metrics.accuracy(), 0.7);
  EXPECT_DOUBLE_EQ(metrics.f1(), 6.0 / 9.0);
  EXPECT_EQ(metrics.confusion(), (std::vector<std::vector<std::int64_t>>{{4, 1}, {2, 3}}));
}

TEST(ClassificationMetrics, MoreClassesTakeTheMean) {
  ClassificationMetrics metrics(3);
  metrics.add(0, 0);
  metrics.add(1, 0);
  metrics.add(1, 1);
  // F1: 2/3 for class 0, 2/3 for class 1, 0 for class 2, which never occurs.
  EXPECT_DOUBLE_EQ(metrics.f1(), 4.0 / 9.0);
}

TEST(ClassificationMetrics, NothingCountedIsZero) {
  const ClassificationMetrics metrics(2);
  EXPECT_EQ(metrics.accuracy(), 0.0);
  EXPECT_EQ(metrics.f1(), 0.0);
}

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
