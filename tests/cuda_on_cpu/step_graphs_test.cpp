// Training steps as graphs on the imagined GPU: when they are recorded, when repeated, when given
// up.
#include "host/training/step_graphs.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/arrays/bias.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
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
      add_bias(device.queue(),
               {.rows = 1, .columns = 1, .x = sum.data(), .ld = 1, .bias = one.data()});
    };
  }
  /// What a graph cannot hold.
  std::function<void()> add_one_and_wait() {
    return [this] {
      add_one()();
      synchronize(device.queue());
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

TEST_F(StepGraphsTest, WhatCannotBeRecordedRunsPlainlyFromThenOnAndSaysSo) {
  StepGraphs graphs(device.queue(), 4);
  for (int i = 0; i < 4; ++i) graphs.run(7, 3, {0}, add_one_and_wait());
  EXPECT_EQ(total(), 4.0f) << "a step ran twice or not at all";
  EXPECT_EQ(enqueued, 5) << "a recording was tried again";
  EXPECT_EQ(graphs.counts().plain, 4);
  const std::string problem = graphs.take_problem();
  EXPECT_NE(problem.find("steps of 3 rows and 7 time steps run without CUDA graphs, since"),
            std::string::npos)
      << problem;
  EXPECT_NE(problem.find("waiting for the device failed"), std::string::npos) << problem;
  EXPECT_EQ(graphs.take_problem(), "") << "told twice";
}

TEST_F(StepGraphsTest, AShapeThatCannotBeRecordedLeavesTheOthersTheirGraphs) {
  StepGraphs graphs(device.queue(), 4);
  for (int i = 0; i < 4; ++i) {
    graphs.run(1, 8, {1}, add_one());
    graphs.run(2, 8, {2}, add_one_and_wait());
    graphs.run(3, 8, {3}, add_one());
  }
  EXPECT_EQ(total(), 12.0f);
  EXPECT_EQ(graphs.counts().recorded, 2);
  EXPECT_EQ(graphs.counts().repeated, 4);
  EXPECT_EQ(graphs.counts().plain, 6);
}

// A graph that was there does not stay, nor does a slot.
TEST_F(StepGraphsTest, AShapeThatCannotBeRecordedAgainGoesOnPlainly) {
  StepGraphs graphs(device.queue(), 1);
  for (int i = 0; i < 3; ++i) graphs.run(1, 8, {1}, add_one());
  EXPECT_EQ(graphs.counts().repeated, 1);
  for (int i = 0; i < 3; ++i) graphs.run(1, 8, {2}, add_one_and_wait());
  for (int i = 0; i < 3; ++i) graphs.run(2, 8, {1}, add_one());
  EXPECT_EQ(total(), 9.0f);
  EXPECT_EQ(graphs.counts().recorded, 2);
  EXPECT_EQ(graphs.counts().repeated, 2);
}

TEST_F(StepGraphsTest, AReasonIsToldOnceForAllShapes) {
  StepGraphs graphs(device.queue(), 8);
  for (const int steps : {1, 1, 2, 2}) graphs.run(steps, 8, {steps}, add_one_and_wait());
  EXPECT_NE(graphs.take_problem().find("and 1 time steps"), std::string::npos);
  int calls = 0;
  for (int i = 0; i < 2; ++i) {
    graphs.run(3, 8, {3}, [&] {
      if (++calls == 2) throw Error::runtime("another reason");
      add_one()();
    });
  }
  EXPECT_EQ(calls, 3);
  EXPECT_NE(graphs.take_problem().find("another reason"), std::string::npos);
}

TEST_F(StepGraphsTest, AfterSomeFailuresInARowNoneAreTried) {
  StepGraphs graphs(device.queue(), 8);
  for (int steps = 1; steps <= 3; ++steps) {
    for (int i = 0; i < 2; ++i) graphs.run(steps, 8, {steps}, add_one_and_wait());
  }
  for (int i = 0; i < 2; ++i) graphs.run(4, 8, {4}, add_one());  // one that goes well between them
  EXPECT_EQ(graphs.counts().recorded, 1);
  static_cast<void>(graphs.take_problem());
  for (int steps = 5; steps <= 8; ++steps) {
    EXPECT_EQ(graphs.take_problem(), "");
    for (int i = 0; i < 2; ++i) graphs.run(steps, 8, {steps}, add_one_and_wait());
  }
  const std::string problem = graphs.take_problem();
  EXPECT_NE(
      problem.find(
          "4 recordings in a row failed: no more are tried, and steps that have none run without"),
      std::string::npos)
      << problem;
  const int before = enqueued;
  for (int i = 0; i < 3; ++i) graphs.run(9, 8, {9}, add_one());
  EXPECT_EQ(enqueued, before + 3);
  EXPECT_EQ(graphs.counts().recorded, 1);
  EXPECT_EQ(graphs.take_problem(), "");
  graphs.run(4, 8, {4}, add_one());
  EXPECT_EQ(graphs.counts().repeated, 1) << "a graph that was there";
  EXPECT_EQ(total(), 3 * 2 + 2 + 4 * 2 + 3 + 1.0f);
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
  EXPECT_EQ(graphs.take_problem(), "");
}

TEST_F(StepGraphsTest, NoneAreMadeWhenTheyAreSwitchedOff) {
  StepGraphs graphs(device.queue(), 0);
  for (int i = 0; i < 3; ++i) graphs.run(1, 1, {0}, add_one());
  EXPECT_EQ(graphs.counts().plain, 3);
  EXPECT_EQ(total(), 3.0f);
}

}  // namespace
}  // namespace sluice::test
