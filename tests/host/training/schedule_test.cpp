#include "host/training/schedule.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

double rate(const ScheduleConfig& config, std::int64_t step, int plateaus = 0) {
  return learning_rate(config, {step, 100, 10, plateaus});
}

TEST(Schedule, ConstantStays) {
  const ScheduleConfig config{.learning_rate = 0.5};
  EXPECT_EQ(rate(config, 0), 0.5);
  EXPECT_EQ(rate(config, 99), 0.5);
}

TEST(Schedule, WarmupRisesLinearlyOverATenth) {
  const ScheduleConfig config{.schedule = Schedule::warmup, .learning_rate = 1.0};
  EXPECT_DOUBLE_EQ(rate(config, 0), 0.1);
  EXPECT_DOUBLE_EQ(rate(config, 4), 0.5);
  EXPECT_DOUBLE_EQ(rate(config, 9), 1.0);
  EXPECT_DOUBLE_EQ(rate(config, 50), 1.0);
}

TEST(Schedule, CosineFallsToTheMinimum) {
  const ScheduleConfig config{
      .schedule = Schedule::cosine, .learning_rate = 1.0, .minimum = 0.2, .warmup_steps = 20};
  EXPECT_DOUBLE_EQ(rate(config, 9), 0.5);  // warming up
  EXPECT_DOUBLE_EQ(rate(config, 20), 1.0);
  EXPECT_NEAR(rate(config, 60), 0.6, 1e-12);  // half way
  EXPECT_NEAR(rate(config, 100), 0.2, 1e-12);
  EXPECT_NEAR(rate(config, 1000), 0.2, 1e-12);  // a training prolonged
}

TEST(Schedule, StepFallsAfterEpochs) {
  const ScheduleConfig config{
      .schedule = Schedule::step, .learning_rate = 1.0, .factor = 0.1, .epochs = 2};
  EXPECT_DOUBLE_EQ(rate(config, 19), 1.0);
  EXPECT_DOUBLE_EQ(rate(config, 20), 0.1);
  EXPECT_NEAR(rate(config, 40), 0.01, 1e-15);
}

TEST(Schedule, PlateauFallsWithEachReductionDownToTheMinimum) {
  const ScheduleConfig config{
      .schedule = Schedule::plateau, .learning_rate = 1.0, .minimum = 0.2, .factor = 0.5};
  EXPECT_DOUBLE_EQ(rate(config, 50, 0), 1.0);
  EXPECT_DOUBLE_EQ(rate(config, 50, 1), 0.5);
  EXPECT_DOUBLE_EQ(rate(config, 50, 2), 0.25);
  EXPECT_DOUBLE_EQ(rate(config, 50, 3), 0.2);
}

TEST(Schedule, RefusesWrongOptionsByName) {
  EXPECT_THROW((ScheduleConfig{.learning_rate = 0.0}.validate()), Error);
  EXPECT_THROW((ScheduleConfig{.minimum = 1.0}.validate()), Error);
  EXPECT_THROW((ScheduleConfig{.factor = 1.5}.validate()), Error);
  EXPECT_THROW((ScheduleConfig{.epochs = 0}.validate()), Error);
  EXPECT_THROW(schedule_from_name("linear"), Error);
  EXPECT_EQ(schedule_from_name("plateau"), Schedule::plateau);
}

}  // namespace
}  // namespace sluice
