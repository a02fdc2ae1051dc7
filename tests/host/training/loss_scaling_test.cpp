#include "host/training/loss_scaling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "host/device.h"

namespace sluice {
namespace {

TEST(LossScaling, OffHasNoStateAndChangesNothing) {
  const Device device = Device::open("cpu", 1);
  const LossScaling scaling(device.queue(), false);
  std::vector<float> gradients = {1.0f, INFINITY};
  scaling.unscale(gradients.data(), 2);
  scaling.update();
  EXPECT_EQ(scaling.state(), nullptr);
  EXPECT_EQ(scaling.bytes(), 0u);
  EXPECT_EQ(gradients, (std::vector<float>{1.0f, INFINITY}));
  EXPECT_EQ(scaling.get().scale, 65536.0f);
}

TEST(LossScaling, OnDividesTheGradientsAndFollowsTheRule) {
  const Device device = Device::open("cpu", 1);
  const LossScaling scaling(device.queue(), true);
  std::vector<float> gradients = {65536.0f, -32768.0f};
  scaling.unscale(gradients.data(), 2);
  EXPECT_EQ(gradients, (std::vector<float>{1.0f, -0.5f}));
  scaling.update();
  EXPECT_EQ(scaling.get().clean_steps, 1u);
  gradients[0] = NAN;
  scaling.unscale(gradients.data(), 2);
  EXPECT_EQ(scaling.state()->skip, 1u);
  EXPECT_EQ(gradients[0], 0.0f);
  scaling.update();
  EXPECT_EQ(scaling.get().scale, 32768.0f);
  EXPECT_EQ(scaling.get().skipped_steps, 1u);
  scaling.set({.scale = 8.0f, .clean_steps = 5, .skipped_steps = 7});
  EXPECT_EQ(scaling.get().clean_steps, 5u);
}

}  // namespace
}  // namespace sluice
