// Training steps as graphs on the imagined GPU: when they are recorded, when repeated, when given up.
#include "host/training/step_graphs.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/bias.h"
#include "kernels/device.h"
#include "kernels/error.h"
#include "tests/kernels/test_device.h"

namespace sluice::test {
namespace {

class StepGraphsTest : public ::testing::Test {
 protected:
  TestDevice device{DeviceKind::cuda};
  GuardedBuffer sum{device.queue(), std::vector<float>{0}};
  GuardedBuffer one{device.queue(), std::vector<float>{1}};
  int enqueued = 0;

  std::function<void()> add_one() {
    return [this] {
      ++enqueued;
      add_bias(device.queue(), {.rows = 1, .columns = 1, .x = sum.data(), .ld = 1, .bias = one.data()});
    };
  }
  float total() const { return sum.get<float>()[0]; }
};

TEST_F(StepGraphsTest, TheFirstIsPlainTheSecondRecordedAndAnEqualOneRepeated) {
  StepGraphs graphs(device.queue(), 4);
  for (int i = 1; i <= 5; ++i) {
    graphs.run(10, 8, {1, 2, 3}, add_one());
    EXPECT_EQ(total(), static_cast<float>(i));
  }
  EXPECT_EQ(enqueued, 2);
  EXPECT_EQ(graphs.counts().plain, 1);
  EXPECT_EQ(graphs.counts().recorded, 1);
  EXPECT_EQ(graphs.counts().repeated, 3);
  graphs.run(10, 8, {1, 2, 4}, add_one());  // launches that differ: recorded anew
  EXPECT_EQ(total(), 6.0f);
  EXPECT_EQ(graphs.counts().recorded, 2);
}

TEST_F(StepGraphsTest, TheOneLeastRecentlyUsedMakesRoom) {
  StepGraphs graphs(device.queue(), 2);
  for (const int steps : {1, 2, 1, 3, 1, 2}) graphs.run(steps, 8, {steps}, add_one());
  // 1 plain, 2 plain, 1 recorded, 3 plain (for 2), 1 repeated, 2 plain again
  EXPECT_EQ(graphs.counts().plain, 4);
  EXPECT_EQ(graphs.counts().recorded, 1);
  EXPECT_EQ(graphs.counts().repeated, 1);
  EXPECT_EQ(total(), 6.0f);
}

TEST_F(StepGraphsTest, WhatCannotBeRecordedRunsPlainlyFromThenOn) {
  StepGraphs graphs(device.queue(), 4);
  const auto waits = [&] {
    add_one()();
    synchronize(device.queue());
  };
  for (int i = 0; i < 3; ++i) graphs.run(1, 1, {0}, waits);
  EXPECT_EQ(total(), 3.0f) << "a step ran twice or not at all";
  EXPECT_EQ(graphs.counts().plain, 3);
  EXPECT_FALSE(graphs.problem().empty());
}

TEST_F(StepGraphsTest, StepsThatAreNeverAlikeRunPlainlyAfterAWhile) {
  StepGraphs graphs(device.queue(), 4);
  int launches = 0;
  for (int i = 0; i < 10; ++i) {
    graphs.run(1, 1, {i}, [&] {
      for (int k = 0; k <= i; ++k) add_one()();
    });
    launches += i + 1;
    EXPECT_EQ(total(), static_cast<float>(launches));
  }
  EXPECT_EQ(graphs.counts().recorded, 4);
  EXPECT_EQ(graphs.counts().plain, 6);
  EXPECT_TRUE(graphs.problem().empty());
}

TEST_F(StepGraphsTest, NoneAreMadeWhenTheyAreSwitchedOff) {
  StepGraphs graphs(device.queue(), 0);
  for (int i = 0; i < 3; ++i) graphs.run(1, 1, {0}, add_one());
  EXPECT_EQ(graphs.counts().plain, 3);
  EXPECT_EQ(total(), 3.0f);
}

}  // namespace
}  // namespace sluice::test
