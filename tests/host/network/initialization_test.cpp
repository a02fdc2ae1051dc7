#include "host/network/initialization.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "host/tasks/list.h"
#include "kernels/cells/indrnn.h"
#include "kernels/cells/lstm_peephole.h"

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

ParameterLayout layout_of(const ModelConfig& config) {
  return {config, default_task().head_parameters(config)};
}

std::vector<float> part(const ModelConfig& config, Initialization initialization,
                        const std::string& name, std::uint64_t seed = 1) {
  const ParameterLayout layout = layout_of(config);
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

// As commit 1f30956 drew them, bit for bit where logarithms and cosines are the same: a sum over
// all numbers, which any tensor that is filled otherwise would change.
TEST(Initialization, EachCellBeginsAsItAlwaysDid) {
  const struct {
    Cell cell;
    Initialization initialization;
    double of_embedding, of_one_hot;
  } cases[] = {
      {Cell::rnn_tanh, Initialization::pytorch, 0.635956224, -34.463945293},
      {Cell::rnn_tanh, Initialization::keras, -4.898400973, 9.544289985},
      {Cell::lstm, Initialization::pytorch, -72.415237252, 57.356004436},
      {Cell::lstm, Initialization::keras, 130.691227548, 188.827288396},
      {Cell::gru, Initialization::pytorch, -6.438748117, -8.455897055},
      {Cell::gru, Initialization::keras, -19.667641035, -44.803583727},
  };
  for (const auto& one : cases) {
    for (const bool one_hot : {false, true}) {
      ModelConfig config = config_of(one.cell);
      config.vocabulary_size = 50;
      config.embedding_size = one_hot ? 0 : 12;
      config.hidden_size = 9;
      config.classes = one_hot ? 2 : 3;
      const std::vector<float> values =
          initial_parameters(config, layout_of(config), one.initialization, 7);
      double sum = 0.0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        sum += double{values[i]} * static_cast<double>(i % 7 + 1);
      }
      EXPECT_NEAR(sum, one_hot ? one.of_one_hot : one.of_embedding, 1e-4)
          << name_of(one.cell) << ", " << name_of(one.initialization) << ", one-hot " << one_hot;
    }
  }
}

// A layout of unit weights alone.
std::vector<float> unit_weights(const CellSpec& cell, Initialization initialization) {
  ParameterLayout layout = layout_of(config_of(Cell::lstm));
  constexpr std::int64_t hidden = 300;
  layout.size = cell.unit_weights * hidden;
  layout.views = {{cell.unit_weight_name,
                   {layout.size},
                   0,
                   {.kind = ParameterKind::unit_weight,
                    .gates = cell.unit_weights,
                    .gate_rows = hidden,
                    .fan_in = 1,
                    .fan_out = 1,
                    .layer = 0}}};
  return initial_parameters(cell, layout, initialization, 5);
}

TEST(Initialization, PeepholesAreSmallAndADiagonalIsWithinZeroAndOne) {
  const Moments keras(unit_weights(LstmPeepholeCell::spec, Initialization::keras));
  EXPECT_LE(keras.largest, std::sqrt(3.0 / 300));
  EXPECT_NEAR(keras.deviation, std::sqrt(1.0 / 300), 0.003);
  const Moments pytorch(unit_weights(LstmPeepholeCell::spec, Initialization::pytorch));
  EXPECT_LE(pytorch.largest, std::sqrt(1.0 / 300));
  EXPECT_NEAR(pytorch.deviation, std::sqrt(1.0 / 900), 0.002);
  for (const Initialization kind : {Initialization::keras, Initialization::pytorch}) {
    const std::vector<float> diagonal = unit_weights(IndRnnCell::spec, kind);
    for (const float value : diagonal) EXPECT_TRUE(value >= 0.0f && value <= 1.0f) << value;
    EXPECT_NEAR(Moments(diagonal).mean, 0.5, 0.05);
    EXPECT_NEAR(Moments(diagonal).deviation, std::sqrt(1.0 / 12), 0.03);
  }
}

TEST(Initialization, EveryTensorOfEveryCellHasARoleThatFitsItsShape) {
  for (const std::string& name : cell_names()) {
    for (const std::int64_t embedding : {0, 24}) {
      ModelConfig config = config_of(cell_from_name(name));
      config.embedding_size = embedding;
      for (const ParameterView& view : layout_of(config).views) {
        const ParameterRole& role = view.role;
        SCOPED_TRACE(name + " " + view.name);
        const bool turned = role.kind == ParameterKind::table && role.layer >= 0;
        EXPECT_EQ(view.shape[turned ? 1 : 0], role.gates * role.gate_rows);
        if (view.shape.size() == 2 && role.kind != ParameterKind::table) {
          EXPECT_EQ(view.shape[1], role.fan_in);
          EXPECT_EQ(view.shape[0], role.fan_out);
        }
        EXPECT_EQ(role.layer >= 0, view.name.starts_with("rnn."));
      }
    }
  }
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
