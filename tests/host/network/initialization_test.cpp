#include "host/network/initialization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

ModelConfig config_of(Cell cell) {
  ModelConfig config;
  config.vocabulary_size = 500;
  config.embedding_size = 24;
  config.cell = cell;
  config.hidden_size = 16;
  config.bidirectional = true;
  config.num_layers = 2;
  return config;
}

std::vector<float> part(const ModelConfig& config, Initialization initialization,
                        const std::string& name, std::uint64_t seed = 1) {
  const ParameterLayout layout(config);
  const std::vector<float> all = initial_parameters(config, layout, initialization, seed);
  const ParameterView& view = layout.view(name);
  return {all.begin() + view.offset, all.begin() + view.offset + view.size()};
}

struct Moments {
  double mean = 0.0, deviation = 0.0, largest = 0.0;
  explicit Moments(const std::vector<float>& values) {
    for (const float value : values) {
      mean += value;
      deviation += static_cast<double>(value) * value;
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    mean /= static_cast<double>(values.size());
    deviation = std::sqrt(deviation / static_cast<double>(values.size()) - mean * mean);
  }
};

TEST(Initialization, PytorchDrawsUniformWithinOneOverRootHidden) {
  const ModelConfig config = config_of(Cell::gru);
  for (const char* name : {"rnn.weight_ih_l0", "rnn.weight_hh_l1_reverse", "rnn.bias_hh_l0"}) {
    const Moments moments(part(config, Initialization::pytorch, name));
    EXPECT_LE(moments.largest, 0.25) << name;
    EXPECT_GT(moments.largest, 0.2) << name;
    EXPECT_NEAR(moments.deviation, 0.25 / std::sqrt(3.0), 0.03) << name;
  }
  const Moments embedding(part(config, Initialization::pytorch, "embedding.weight"));
  EXPECT_NEAR(embedding.mean, 0.0, 0.03);
  EXPECT_NEAR(embedding.deviation, 1.0, 0.03);
  EXPECT_GT(embedding.largest, 3.0);
}

TEST(Initialization, KerasRecurrentWeightsAreOrthogonal) {
  const std::vector<float> weight =
      part(config_of(Cell::lstm), Initialization::keras, "rnn.weight_hh_l1");  // [64, 16]
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 16; ++j) {
      double product = 0.0;
      for (std::size_t row = 0; row < 64; ++row)
        product += weight[row * 16 + i] * weight[row * 16 + j];
      EXPECT_NEAR(product, i == j ? 1.0 : 0.0, 1e-5);
    }
  }
}

TEST(Initialization, KerasBiasesAreZeroButTheForgetGates) {
  const std::vector<float> bias =
      part(config_of(Cell::lstm), Initialization::keras, "rnn.bias_ih_l0_reverse");
  for (std::size_t i = 0; i < bias.size(); ++i) EXPECT_EQ(bias[i], i / 16 == 1 ? 1.0f : 0.0f) << i;
  for (const float value : part(config_of(Cell::lstm), Initialization::keras, "rnn.bias_hh_l0")) {
    EXPECT_EQ(value, 0.0f);
  }
  for (const float value : part(config_of(Cell::gru), Initialization::keras, "rnn.bias_ih_l0")) {
    EXPECT_EQ(value, 0.0f);
  }
}

TEST(Initialization, KerasInputWeightsAreGlorotUniform) {
  const Moments moments(part(config_of(Cell::lstm), Initialization::keras, "rnn.weight_ih_l0"));
  const double limit = std::sqrt(6.0 / (24 + 64));
  EXPECT_LE(moments.largest, limit);
  EXPECT_NEAR(moments.deviation, limit / std::sqrt(3.0), 0.01);
  const Moments embedding(part(config_of(Cell::lstm), Initialization::keras, "embedding.weight"));
  EXPECT_LE(embedding.largest, 0.05f);
}

TEST(Initialization, ASeedIsAStreamOfItsOwnAndSoIsATensor) {
  const ModelConfig config = config_of(Cell::lstm);
  for (const Initialization kind : {Initialization::pytorch, Initialization::keras}) {
    EXPECT_EQ(part(config, kind, "rnn.weight_hh_l0", 5), part(config, kind, "rnn.weight_hh_l0", 5));
    EXPECT_NE(part(config, kind, "rnn.weight_hh_l0", 5), part(config, kind, "rnn.weight_hh_l0", 6));
    EXPECT_NE(part(config, kind, "rnn.weight_hh_l0"),
              part(config, kind, "rnn.weight_hh_l0_reverse"));
  }
}

}  // namespace
}  // namespace sluice
