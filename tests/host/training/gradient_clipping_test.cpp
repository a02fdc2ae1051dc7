#include "host/training/gradient_clipping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "host/device.h"
#include "host/tasks/list.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

ModelConfig config() {
  ModelConfig config;
  config.vocabulary_size = 5;
  config.embedding_size = 3;
  config.hidden_size = 2;
  return config;
}

double norm(const std::vector<float>& values, std::int64_t begin, std::int64_t count) {
  double squares = 0.0;
  for (std::int64_t i = begin; i < begin + count; ++i) {
    const double value = values[static_cast<std::size_t>(i)];
    squares += value * value;
  }
  return std::sqrt(squares);
}

// Gradients of 2 everywhere but in the gaps, after clipping.
std::vector<float> clipped(const ClippingConfig& limits) {
  const ParameterLayout layout(config(), default_task().head_parameters(config()));
  std::vector<float> gradients(static_cast<std::size_t>(layout.size), 0.0f);
  for (const ParameterView& view : layout.views) {
    std::fill_n(gradients.begin() + view.offset, view.size(), 2.0f);
  }
  const Device device = Device::open("cpu", 1);
  GradientClipping(device.queue(), limits, layout).apply(gradients.data());
  return gradients;
}

TEST(GradientClipping, GlobalNormIsThatOfAllTensors) {
  const std::vector<float> gradients = clipped({.global_norm = 0.5});
  EXPECT_NEAR(norm(gradients, 0, static_cast<std::int64_t>(gradients.size())), 0.5, 1e-5);
}

TEST(GradientClipping, TensorNormIsThatOfEach) {
  const ParameterLayout layout(config(), default_task().head_parameters(config()));
  const std::vector<float> gradients = clipped({.tensor_norm = 0.5});
  for (const ParameterView& view : layout.views) {
    EXPECT_NEAR(norm(gradients, view.offset, view.size()), 0.5, 1e-5) << view.name;
  }
}

TEST(GradientClipping, ValueBoundsEachNumberAndComesFirst) {
  const ParameterLayout layout(config(), default_task().head_parameters(config()));
  for (const float value : clipped({.value = 0.25})) EXPECT_TRUE(value == 0.25f || value == 0.0f);
  const std::vector<float> both = clipped({.value = 0.25, .global_norm = 1000.0});
  EXPECT_EQ(both[0], 0.25f);
}

TEST(GradientClipping, NothingSetChangesNothing) {
  const ParameterLayout layout(config(), default_task().head_parameters(config()));
  EXPECT_EQ(clipped({})[static_cast<std::size_t>(layout.view("head.bias").offset)], 2.0f);
  EXPECT_THROW((ClippingConfig{.value = -1.0}.validate()), Error);
}

}  // namespace
}  // namespace sluice
