#include "host/tasks/model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "host/device.h"
#include "host/network/initialization.h"
#include "host/tasks/list.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"

namespace sluice {
namespace {

Dataset dataset_of(const std::vector<std::vector<std::int32_t>>& rows,
                   const std::vector<std::int32_t>& labels) {
  Dataset dataset;
  for (const std::vector<std::int32_t>& row : rows) {
    dataset.tokens.insert(dataset.tokens.end(), row.begin(), row.end());
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
  }
  dataset.labels = labels;
  return dataset;
}

Dataset small_dataset() {
  return dataset_of({{3, 4, 5}, {6}, {7, 8, 9, 3, 2}, {4, 4}}, {1, 0, 1, 0});
}

class ModelOnDevice : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    if (name == "cuda" && !cuda_devices().problem.empty()) GTEST_SKIP() << cuda_devices().problem;
    device_ = std::make_unique<Device>(Device::open(name, 2));
  }

  static ModelConfig config(Pooling pooling, int classes) {
    ModelConfig config;
    config.vocabulary_size = 10;
    config.embedding_size = 6;
    config.hidden_size = 5;
    config.bidirectional = true;
    config.pooling = pooling;
    config.classes = classes;
    return config;
  }
  Model make(const ModelConfig& config, const Precision& precision = {}) const {
    Model model(device_->queue(), default_task(), config, precision);
    model.set_parameters(initial_parameters(config, model.layout(), Initialization::pytorch, 3));
    return model;
  }
  // Mean loss of a pass without dropout.
  double loss(Model& model, const Batch& batch) const {
    const Buffer totals(device_->queue(), 3 * sizeof(double));
    fill_zero(device_->queue(), totals.data(), totals.bytes());
    model.forward_pass(batch, totals.as<double>());
    double sums[3];
    download(device_->queue(), sums, totals.data(), sizeof sums);
    synchronize(device_->queue());
    return sums[0] / sums[2];
  }

  std::unique_ptr<Device> device_;
};

TEST_P(ModelOnDevice, GradientsAgreeWithDifferencesOfTheLoss) {
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    for (const int classes : {2, 3}) {
      ModelConfig model_config = config(pooling, classes);
      if (pooling == Pooling::mean) model_config.embedding_size = 0;
      Model model = make(model_config);
      Dataset dataset = small_dataset();
      if (classes == 3) dataset.labels = {2, 0, 1, 2};
      const Batch batch = make_batch(dataset, all_rows(dataset));
      model.train_pass(batch, {}, nullptr);
      std::vector<float> gradient(static_cast<std::size_t>(model.layout().size));
      download(device_->queue(), gradient.data(), model.gradients(),
               gradient.size() * sizeof(float));
      synchronize(device_->queue());
      const std::vector<float> parameters = model.download_parameters();
      for (const ParameterView& view : model.layout().views) {
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
              << view.name << "[" << i << "], " << name_of(pooling) << ", " << classes
              << " classes";
        }
      }
      model.set_parameters(parameters);
    }
  }
}

TEST_P(ModelOnDevice, The16BitTypesGiveFloat32sGradientsButForTheirRoundings) {
  std::vector<std::vector<std::int32_t>> rows;
  for (std::int32_t r = 0; r < 40; ++r) rows.push_back({r % 7, 3, 5, 8, r % 3});
  std::vector<std::int32_t> labels(rows.size());
  for (std::size_t r = 0; r < labels.size(); ++r) labels[r] = static_cast<std::int32_t>(r % 3);
  const Dataset dataset = dataset_of(rows, labels);
  const Batch batch = make_batch(dataset, all_rows(dataset));
  const Buffer scale(device_->queue(), sizeof(LossScale));
  const LossScale of_1024{.scale = 1024.0f};
  upload(device_->queue(), scale.data(), &of_1024, sizeof of_1024);
  enum class Input { shared, own, one_hot };
  const auto gradients_of = [&](const Precision& precision, Input input,
                                const LossScale* loss_scale) {
    ModelConfig network = config(Pooling::mean, 3);  // a maximum can move with a rounding
    if (input == Input::one_hot) network.embedding_size = 0;
    Model model = make(network, precision);
    if (input == Input::own) model.keep_input_gradients();
    model.train_pass(batch, {}, nullptr, loss_scale);
    std::vector<float> gradients(static_cast<std::size_t>(model.layout().size));
    download(device_->queue(), gradients.data(), model.gradients(),
             gradients.size() * sizeof(float));
    synchronize(device_->queue());
    return gradients;
  };
  for (const Input input : {Input::shared, Input::own, Input::one_hot}) {
    const std::vector<float> exact = gradients_of({}, input, nullptr);
    for (const DataType type : {DataType::bfloat16, DataType::float16}) {
      SCOPED_TRACE(std::string(name_of(type)) + ", input " +
                   std::to_string(static_cast<int>(input)));
      const auto plain = gradients_of({.data_type = type}, input, nullptr);
      const auto scaled = gradients_of({.data_type = type}, input, scale.as<LossScale>());
      double size = 0.0, error = 0.0, scaled_error = 0.0;
      for (std::size_t i = 0; i < exact.size(); ++i) {
        size += double{exact[i]} * exact[i];
        error += std::pow(double{plain[i]} - exact[i], 2);
        scaled_error += std::pow(double{scaled[i]} / 1024 - exact[i], 2);
      }
      const double allowed = type == DataType::bfloat16 ? 1.6e-2 : 2e-3;
      EXPECT_LE(std::sqrt(error / size), allowed);
      EXPECT_LE(std::sqrt(scaled_error / size), allowed);
      EXPECT_NE(plain, exact);
    }
  }
}

TEST_P(ModelOnDevice, WordsThatStandTwiceAreTakenOnceWithTheSameGradients) {
  std::vector<std::vector<std::int32_t>> rows;
  for (std::int32_t r = 0; r < 300; ++r) rows.push_back({r % 7, 3, 5, 8, r % 3});
  const Dataset dataset = dataset_of(rows, std::vector<std::int32_t>(rows.size(), 1));
  const Batch batch = make_batch(dataset, all_rows(dataset));
  Model sharing = make(config(Pooling::mean, 2)), keeping = make(config(Pooling::mean, 2));
  keeping.keep_input_gradients();
  std::vector<float> gradients[2];
  for (Model* model : {&sharing, &keeping}) {
    model->train_pass(batch, {}, nullptr);
    std::vector<float>& values = gradients[model == &keeping];
    values.resize(static_cast<std::size_t>(model->layout().size));
    download(device_->queue(), values.data(), model->gradients(), values.size() * sizeof(float));
    synchronize(device_->queue());
  }
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    EXPECT_NEAR(gradients[0][i], gradients[1][i], 1e-6f) << i;
  }
  const std::vector<float> dx = keeping.download_input_gradient();
  const std::int64_t e = sharing.config().embedding_size;
  std::vector<float> of_word_8(static_cast<std::size_t>(e));
  for (std::size_t n = 0; n < batch.tokens.size(); ++n) {
    for (std::int64_t i = 0; batch.tokens[n] == 8 && i < e; ++i) {
      of_word_8[static_cast<std::size_t>(i)] +=
          dx[n * static_cast<std::size_t>(e) + static_cast<std::size_t>(i)];
    }
  }
  for (std::int64_t i = 0; i < e; ++i) {
    EXPECT_NEAR(gradients[0][static_cast<std::size_t>(8 * e + i)],
                of_word_8[static_cast<std::size_t>(i)], 1e-6f);
  }
}

TEST_P(ModelOnDevice, ARowsProbabilityDoesNotDependOnItsCompany) {
  Model model = make(config(Pooling::last, 3));
  const Dataset dataset = small_dataset();
  const Batch together = make_batch(dataset, all_rows(dataset));
  model.forward_pass(together, nullptr);
  const std::vector<float> probabilities = model.download_outputs();
  for (std::size_t sorted = 0; sorted < 4; ++sorted) {
    const std::vector<std::int32_t> one = {together.rows[sorted]};
    model.forward_pass(make_batch(dataset, one), nullptr);
    const std::vector<float> alone = model.download_outputs();
    ASSERT_EQ(alone.size(), 3u);
    float sum = 0.0f;
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(alone[c], probabilities[sorted * 3 + c], 1e-6f);
      sum += alone[c];
    }
    EXPECT_NEAR(sum, 1.0f, 1e-6f);
  }
}

TEST_P(ModelOnDevice, DropoutActsInTrainingAlone) {
  ModelConfig dropping = config(Pooling::mean, 2);
  dropping.input_dropout = dropping.head_dropout = 0.5;
  dropping.unit_options.recurrent_dropout = 0.5;
  Model with = make(dropping), without = make(config(Pooling::mean, 2));
  const Dataset dataset = small_dataset();
  const Batch batch = make_batch(dataset, all_rows(dataset));
  EXPECT_EQ(loss(with, batch), loss(without, batch));

  const auto training_probabilities = [&](Model& model, std::uint64_t seed) {
    model.train_pass(batch, {seed, nullptr}, nullptr);
    return model.download_outputs();
  };
  EXPECT_NE(training_probabilities(with, 1), training_probabilities(without, 1));
  EXPECT_EQ(training_probabilities(with, 1), training_probabilities(with, 1));
  EXPECT_NE(training_probabilities(with, 1), training_probabilities(with, 2));
}

TEST_P(ModelOnDevice, RoomReservedOnceIsEnoughForSmallerBatches) {
  Model model = make(config(Pooling::max, 2));
  const Dataset dataset = small_dataset();
  const Batch batch = make_batch(dataset, all_rows(dataset));
  model.reserve({batch.layout.rows(), batch.layout.steps(), batch.layout.batch(), true});
  const std::size_t bytes = model.bytes();
  model.train_pass(batch, {}, nullptr);
  model.forward_pass(batch, nullptr);
  const std::vector<std::int32_t> one = {1};
  model.train_pass(make_batch(dataset, one), {}, nullptr);
  EXPECT_EQ(model.bytes(), bytes);
}

TEST_P(ModelOnDevice, ThePassSignatureKnowsBatchesAndMemory) {
  Model model = make(config(Pooling::last, 2));
  const Dataset dataset = small_dataset();
  const std::vector<std::int32_t> few = {0, 1};
  const Batch batch = make_batch(dataset, all_rows(dataset)), smaller = make_batch(dataset, few);
  model.load(batch);
  const auto first = model.pass_signature();
  model.load(smaller);
  EXPECT_NE(model.pass_signature(), first);
  model.load(batch);
  EXPECT_EQ(model.pass_signature(), first);
  model.reserve({1000, 100, 10, true});
  model.load(batch);
  EXPECT_NE(model.pass_signature(), first) << "buffers have moved";
  const auto second = model.pass_signature();
  Buffer others(device_->queue(), static_cast<std::size_t>(model.layout().size) * sizeof(float));
  model.swap_parameters(others);
  EXPECT_NE(model.pass_signature(), second) << "the weights are elsewhere";
  model.swap_parameters(others);
  EXPECT_EQ(model.pass_signature(), second);
}

TEST_P(ModelOnDevice, TrainingNeedsLabels) {
  Model model = make(config(Pooling::last, 2));
  Dataset dataset = small_dataset();
  dataset.labels.clear();
  const Batch batch = make_batch(dataset, all_rows(dataset));
  EXPECT_THROW(model.train_pass(batch, {}, nullptr), Error);
  Batch frames = batch;
  frames.width = 2;
  frames.frames.resize(2 * static_cast<std::size_t>(batch.layout.rows()));
  EXPECT_THROW(model.forward_pass(frames, nullptr), Error);
  EXPECT_NO_THROW(model.forward_pass(batch, nullptr));
  EXPECT_THROW(model.set_parameters({1.0f}), Error);
}

INSTANTIATE_TEST_SUITE_P(Devices, ModelOnDevice, testing::Values("cpu", "cuda"),
                         [](const auto& device) { return std::string(device.param); });

TEST(ParameterLayout, PartsBeginAtMultiplesOf64AndNamesArePytorchs) {
  ModelConfig config;
  config.vocabulary_size = 11;
  config.embedding_size = 3;
  config.hidden_size = 4;
  config.num_layers = 2;
  config.bidirectional = true;
  const ParameterLayout layout(config, default_task().head_parameters(config));
  EXPECT_EQ(layout.view("embedding.weight").offset, 0);
  EXPECT_EQ(layout.view("rnn.weight_ih_l0").offset, 64);
  EXPECT_EQ(layout.recurrent, 64);
  EXPECT_EQ(layout.view("rnn.weight_ih_l1_reverse").shape, (std::vector<std::int64_t>{16, 8}));
  EXPECT_EQ(layout.view("head.weight").shape, (std::vector<std::int64_t>{1, 8}));
  EXPECT_EQ(layout.view("head.weight").offset % 64, 0);
  std::int64_t weights = 0;
  for (const ParameterView& view : layout.views) weights += view.size();
  EXPECT_EQ(layout.weights, weights);
  EXPECT_THROW(layout.view("rnn.weight_hr_l0"), Error);
}

}  // namespace
}  // namespace sluice
