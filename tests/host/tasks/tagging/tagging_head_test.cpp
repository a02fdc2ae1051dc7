// The head on a network: loss over labelled steps, and gradients.
#include "host/tasks/tagging/tagging_head.h"

#include <gtest/gtest.h>

#include <cmath>

#include "host/device.h"
#include "host/network/initialization.h"
#include "host/tasks/list.h"
#include "host/tasks/model.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"

namespace sluice {
namespace {

// Rows of 3, 1 and 4 steps; one without any label.
Dataset dataset_of_tokens() {
  Dataset dataset;
  dataset.tokens = {3, 4, 5, 6, 7, 8, 9, 3};
  dataset.offsets = {0, 3, 4, 8};
  dataset.step_labels = {2, no_label, 0, no_label, 1, no_label, 2, 0};
  return dataset;
}

Dataset dataset_of_frames() {
  Dataset dataset = dataset_of_tokens();
  dataset.width = 3;
  for (std::size_t i = 0; i < dataset.tokens.size() * 3; ++i) {
    dataset.frames.push_back(std::sin(static_cast<float>(i)));
  }
  dataset.tokens.clear();
  return dataset;
}

class TaggingOnDevice : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    if (name == "cuda" && !cuda_devices().problem.empty()) GTEST_SKIP() << cuda_devices().problem;
    device_ = std::make_unique<Device>(Device::open(name, 2));
  }

  static ModelConfig config(const Dataset& dataset) {
    ModelConfig config;
    config.vocabulary_size = 10;
    config.embedding_size = 6;
    config.frame_width = dataset.width;
    config.hidden_size = 5;
    config.bidirectional = true;
    config.classes = 3;
    return config;
  }
  Model make(const ModelConfig& config, const Precision& precision = {}) const {
    Model model(device_->queue(), task_from_name("tagging"), config, precision);
    model.set_parameters(
        initial_parameters(spec_of(config.cell), model.layout(), Initialization::pytorch, 3));
    return model;
  }
  template <class Pass>
  std::array<double, 3> totals_of(Pass&& pass) const {
    const Buffer totals(device_->queue(), 3 * sizeof(double));
    fill_zero(device_->queue(), totals.data(), totals.bytes());
    pass(totals.as<double>());
    std::array<double, 3> sums{};
    download(device_->queue(), sums.data(), totals.data(), sizeof sums);
    synchronize(device_->queue());
    return sums;
  }
  double loss(Model& model, const Batch& batch) const {
    const auto sums = totals_of([&](double* totals) { model.forward_pass(batch, totals); });
    return sums[0] / sums[2];
  }
  std::vector<float> gradients_of(const Model& model) const {
    std::vector<float> gradient(static_cast<std::size_t>(model.layout().size));
    download(device_->queue(), gradient.data(), model.gradients(), gradient.size() * sizeof(float));
    synchronize(device_->queue());
    return gradient;
  }

  std::unique_ptr<Device> device_;
};

TEST_P(TaggingOnDevice, GradientsAgreeWithDifferencesOfTheLoss) {
  for (const Dataset& dataset : {dataset_of_tokens(), dataset_of_frames()}) {
    Model model = make(config(dataset));
    const Batch batch = make_batch(dataset, all_rows(dataset));
    model.train_pass(batch, {}, nullptr);
    EXPECT_EQ(model.targets(), 5);
    const std::vector<float> gradient = gradients_of(model);
    const std::vector<float> parameters = model.download_parameters();
    for (const ParameterView& view : model.layout().views) {
      double size = 0.0;
      for (std::int64_t i = 0; i < view.size(); i += 1 + view.size() / 7) {
        const auto at = static_cast<std::size_t>(view.offset + i);
        const float step = 1e-2f;
        double losses[2];
        for (const int side : {0, 1}) {
          std::vector<float> moved = parameters;
          moved[at] += side == 0 ? -step : step;
          model.set_parameters(moved);
          losses[side] = loss(model, batch);
        }
        EXPECT_NEAR(gradient[at], (losses[1] - losses[0]) / (2.0 * step), 1e-3)
            << view.name << "[" << i << "], width " << dataset.width;
        size += std::abs(gradient[at]);
      }
      EXPECT_GT(size, 0.0) << view.name;
    }
  }
}

TEST_P(TaggingOnDevice, ByFramesTheGradientAgreesToo) {
  const Dataset dataset = dataset_of_frames();
  Model model = make(config(dataset));
  model.keep_input_gradients();
  Batch batch = make_batch(dataset, all_rows(dataset));
  model.train_pass(batch, {}, nullptr);
  const std::vector<float> gradient = model.download_input_gradient();
  ASSERT_EQ(gradient.size(), batch.frames.size());
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const float value = batch.frames[i], step = 1e-2f;
    double losses[2];
    for (const int side : {0, 1}) {
      batch.frames[i] = value + (side == 0 ? -step : step);
      losses[side] = loss(model, batch);
    }
    batch.frames[i] = value;
    EXPECT_NEAR(gradient[i], (losses[1] - losses[0]) / (2.0 * step), 1e-3) << i;
  }
}

TEST_P(TaggingOnDevice, StepsWithoutALabelCostNothingAndCountNowhere) {
  const Dataset dataset = dataset_of_tokens();
  Model model = make(config(dataset));
  const Batch batch = make_batch(dataset, all_rows(dataset));
  const auto sums = totals_of([&](double* totals) { model.forward_pass(batch, totals); });
  const std::vector<float> probabilities = model.download_outputs();
  ASSERT_EQ(probabilities.size(), 8u * 3u);
  double expected = 0.0, met = 0.0;
  for (std::size_t n = 0; n < batch.step_labels.size(); ++n) {
    const std::int32_t label = batch.step_labels[n];
    if (label == no_label) continue;
    const float* of_step = probabilities.data() + 3 * n;
    expected -= std::log(double{of_step[label]});
    met += std::max_element(of_step, of_step + 3) - of_step == label ? 1.0 : 0.0;
  }
  EXPECT_NEAR(sums[0], expected, 1e-5);
  EXPECT_EQ(sums[1], met);
  EXPECT_EQ(sums[2], 5.0);
}

TEST_P(TaggingOnDevice, ABatchWithoutALabelHasNoGradient) {
  Dataset dataset = dataset_of_tokens();
  dataset.step_labels.assign(dataset.step_labels.size(), no_label);
  Model model = make(config(dataset));
  const Batch batch = make_batch(dataset, all_rows(dataset));
  const auto sums = totals_of([&](double* totals) { model.train_pass(batch, {}, totals); });
  EXPECT_EQ(sums, (std::array<double, 3>{}));
  for (const float value : gradients_of(model)) EXPECT_EQ(value, 0.0f);
}

TEST_P(TaggingOnDevice, The16BitTypesGiveFloat32sGradientsButForTheirRoundings) {
  for (const Dataset& dataset : {dataset_of_tokens(), dataset_of_frames()}) {
    ModelConfig dropping = config(dataset);
    dropping.head_dropout = 0.3;
    const Batch batch = make_batch(dataset, all_rows(dataset));
    const auto gradients = [&](DataType type) {
      Model model = make(dropping, {.data_type = type});
      model.train_pass(batch, {7, nullptr}, nullptr);
      return gradients_of(model);
    };
    const std::vector<float> exact = gradients(DataType::float32);
    const std::vector<float> rounded = gradients(DataType::bfloat16);
    double size = 0.0, error = 0.0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      size += double{exact[i]} * exact[i];
      error += std::pow(double{rounded[i]} - exact[i], 2);
    }
    EXPECT_GT(error, 0.0);
    EXPECT_LE(std::sqrt(error / size), 1.6e-2);
  }
}

TEST_P(TaggingOnDevice, DropoutActsInTrainingAloneAndInItsGradients) {
  const Dataset dataset = dataset_of_tokens();
  ModelConfig dropping = config(dataset);
  dropping.head_dropout = 0.5;
  Model with = make(dropping), without = make(config(dataset));
  const Batch batch = make_batch(dataset, all_rows(dataset));
  EXPECT_EQ(loss(with, batch), loss(without, batch));
  const auto train = [&](std::uint64_t seed) {
    const auto sums = totals_of([&](double* totals) {
      with.train_pass(batch, {seed, nullptr}, totals);
    });
    return sums[0] / sums[2];
  };
  EXPECT_EQ(train(1), train(1));
  EXPECT_NE(train(1), train(2));

  train(1);
  const std::vector<float> gradient = gradients_of(with);
  const std::vector<float> parameters = with.download_parameters();
  const ParameterView& bias = with.layout().view("rnn.bias_ih_l0");
  for (std::int64_t i = 0; i < bias.size(); ++i) {
    const auto at = static_cast<std::size_t>(bias.offset + i);
    double losses[2];
    for (const int side : {0, 1}) {
      std::vector<float> moved = parameters;
      moved[at] += side == 0 ? -1e-2f : 1e-2f;
      with.set_parameters(moved);
      losses[side] = train(1);
    }
    EXPECT_NEAR(gradient[at], (losses[1] - losses[0]) / 2e-2, 1e-3) << i;
  }
}

TEST_P(TaggingOnDevice, TheSignatureKnowsHowManyStepsHaveALabel) {
  Dataset dataset = dataset_of_tokens();
  Model model = make(config(dataset));
  Batch batch = make_batch(dataset, all_rows(dataset));
  model.load(batch);
  const auto first = model.pass_signature();
  *std::find(batch.step_labels.begin(), batch.step_labels.end(), no_label) = 1;
  model.load(batch);
  EXPECT_NE(model.pass_signature(), first);
}

TEST_P(TaggingOnDevice, TrainingNeedsLabelsAndTheInputItWasMadeFor) {
  Dataset dataset = dataset_of_frames();
  Model model = make(config(dataset));
  EXPECT_THROW(model.forward_pass(make_batch(dataset_of_tokens(), all_rows(dataset)), nullptr),
               Error);
  dataset.step_labels.clear();
  const Batch batch = make_batch(dataset, all_rows(dataset));
  EXPECT_THROW(model.train_pass(batch, {}, nullptr), Error);
  EXPECT_NO_THROW(model.forward_pass(batch, nullptr));
}

INSTANTIATE_TEST_SUITE_P(Devices, TaggingOnDevice, testing::Values("cpu", "cuda"),
                         [](const auto& device) { return std::string(device.param); });

}  // namespace
}  // namespace sluice
