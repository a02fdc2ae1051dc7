// Ten training steps give PyTorch's losses, from the same weights and batches.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "host/data/batches.h"
#include "host/device.h"
#include "host/tasks/list.h"
#include "host/tasks/model.h"
#include "host/training/gradient_clipping.h"
#include "host/training/optimizer.h"
#include "kernels/device/device.h"
#include "tests/golden/source_folder.h"

namespace sluice {
namespace {

using nlohmann::json;

const json& golden() {
  // Made by tests/golden/make_training_golden.py.
  static const json document = json::parse(
      std::ifstream(test::source_folder() + "/tests/host/training/pytorch_training.json"));
  return document;
}

ModelConfig model_config(const json& record) {
  ModelConfig config;
  config.vocabulary_size = record.at("vocabulary_size");
  config.embedding_size = record.at("embedding_size");
  config.hidden_size = record.at("hidden_size");
  config.cell = cell_from_name(record.at("cell"));
  config.num_layers = record.at("layers");
  config.bidirectional = record.at("bidirectional");
  config.pooling = pooling_from_name(record.at("pooling"));
  config.classes = record.at("classes");
  return config;
}

OptimizerConfig optimizer_config(const json& record) {
  OptimizerConfig config;
  config.kind = optimizer_from_name(record.at("optimizer"));
  config.momentum = record.value("momentum", 0.0);
  config.nesterov = record.value("nesterov", false);
  config.weight_decay = record.value("weight_decay", 0.0);
  return config;
}

Batch batch_of(const json& record) {
  Dataset dataset;
  for (const json& row : record.at("rows")) {
    for (const json& token : row) dataset.tokens.push_back(token);
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
  }
  record.at("labels").get_to(dataset.labels);
  return make_batch(dataset, all_rows(dataset));
}

using Case = std::tuple<std::size_t, std::string>;  // index into the file's cases, device

class PytorchTraining : public testing::TestWithParam<Case> {};

TEST_P(PytorchTraining, TenStepsGiveTheSameLosses) {
  const auto& [index, device_name] = GetParam();
  if (device_name == "cuda" && !cuda_devices().problem.empty()) {
    GTEST_SKIP() << cuda_devices().problem;
  }
  const json& record = golden().at("cases").at(index);
  const Device device = Device::open(device_name, 2);
  Model model(device.queue(), default_task(), model_config(record));
  std::vector<float> parameters(static_cast<std::size_t>(model.layout().size), 0.0f);
  for (const ParameterView& view : model.layout().views) {
    const auto values = record.at("weights").at(view.name).get<std::vector<float>>();
    ASSERT_EQ(static_cast<std::int64_t>(values.size()), view.size()) << view.name;
    std::copy(values.begin(), values.end(), parameters.begin() + view.offset);
  }
  model.set_parameters(parameters);

  Optimizer optimizer(device.queue(), optimizer_config(record), model.layout().size);
  const ClippingConfig limits = {.value = record.value("clip_value", 0.0),
                                 .global_norm = record.value("clip_norm", 0.0)};
  const GradientClipping clipping(device.queue(), limits, model.layout());
  const Buffer totals(device.queue(), 3 * sizeof(double));
  for (std::size_t step = 0; step < record.at("losses").size(); ++step) {
    const Batch batch = batch_of(record.at("batches").at(step));
    fill_zero(device.queue(), totals.data(), totals.bytes());
    model.train_pass(batch, {1, optimizer.step()}, totals.as<double>());
    clipping.apply(model.gradients());
    optimizer.update(model.parameters(), model.gradients(), record.at("lr"));
    double sums[3];
    download(device.queue(), sums, totals.data(), sizeof sums);
    synchronize(device.queue());
    EXPECT_EQ(sums[2], static_cast<double>(batch.labels.size()));
    EXPECT_NEAR(sums[0] / sums[2], record.at("losses").at(step).get<double>(), 1e-4)
        << "step " << step;
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < golden().at("cases").size(); ++i) {
    for (const char* device : {"cpu", "cuda"}) cases.emplace_back(i, device);
  }
  return cases;
}

std::string name_of_case(const testing::TestParamInfo<Case>& param) {
  const auto name = golden().at("cases").at(std::get<0>(param.param)).at("name").get<std::string>();
  return name + "_" + std::get<1>(param.param);
}

INSTANTIATE_TEST_SUITE_P(Cases, PytorchTraining, testing::ValuesIn(all_cases()), name_of_case);

}  // namespace
}  // namespace sluice
