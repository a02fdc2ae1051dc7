// The masks of recurrent layers: constant over time, one for each gate, scaled by 1/(1-p),
// different from row to row and from step to step of the training.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

using Lengths = std::vector<std::int32_t>;
constexpr std::int64_t units = 32;  // I = H
constexpr double rate = 0.25;
constexpr float scale = static_cast<float>(1 / (1 - rate));

class RecurrentDropout : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(GetParam(), Cell::rnn_relu); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

RecurrentConfig relu_config(int layers = 1) {
  RecurrentConfig config;
  config.cell = Cell::rnn_relu;
  config.input_size = config.hidden_size = units;
  config.num_layers = layers;
  return config;
}

/// Sets the named weight matrix to `value` on the diagonal of its block `gate`.
void set_diagonal(RecurrentPass<float>& pass, const std::string& name, float value, int gate = 0) {
  for (const ParameterView& view : recurrent_parameters(pass.plan().config())) {
    if (view.name != name) continue;
    for (std::int64_t i = 0; i < units; ++i) {
      pass.parameters[view.offset + (gate * units + i) * view.shape[1] + i] = value;
    }
  }
}
void set_bias(RecurrentPass<float>& pass, int gate, float value) {
  for (const ParameterView& view : recurrent_parameters(pass.plan().config())) {
    if (view.name != "bias_ih_l0") continue;
    std::fill_n(pass.parameters.begin() + view.offset + gate * units, units, value);
  }
}
void clear(RecurrentPass<float>& pass) {
  pass.parameters.assign(
      static_cast<std::size_t>(parameter_count(recurrent_parameters(pass.plan().config()))), 0.0f);
  pass.x.assign(pass.input_count(), 1.0f);
  pass.h0.clear();
  pass.c0.clear();
}

struct MaskRun {
  std::uint64_t seed = 5;
  std::uint32_t step = 1;
  Lengths lengths = Lengths(16, 3);
};

/// [T, B, H] in the caller's order: the factors applied to the input of the last layer.
std::vector<float> input_factors(const Backend& backend, const RecurrentConfig& config,
                                 const MaskRun& run) {
  const SequenceLayout layout(run.lengths);
  RecurrentPass<float> pass(config, backend, layout);
  clear(pass);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    set_diagonal(pass, "weight_ih_l" + std::to_string(layer), 1.0f);
  }
  pass.seed = run.seed;
  pass.step = {run.step};
  pass.forward();
  return padded(layout, pass.y, units);
}

/// Fails unless every factor is 0 or 1/(1-p), and about p of them are 0.
void expect_mask(const std::vector<float>& factors) {
  int zeros = 0;
  for (const float factor : factors) {
    if (factor == 0.0f) {
      ++zeros;
    } else {
      ASSERT_NEAR(factor, scale, 1e-5f);
    }
  }
  const double count = static_cast<double>(factors.size());
  EXPECT_NEAR(zeros / count, rate, 4 * std::sqrt(rate * (1 - rate) / count));
}

TEST_P(RecurrentDropout, InputMaskIsConstantOverTimeAndDiffersByRow) {
  RecurrentConfig config = relu_config();
  config.input_dropout = rate;
  const std::vector<float> factors = input_factors(GetParam(), config, {});
  const std::size_t plane = 16 * units;  // one time step
  const std::vector<float> first(factors.begin(), factors.begin() + plane);
  expect_mask(first);
  for (std::size_t i = 0; i < factors.size(); ++i) ASSERT_EQ(factors[i], first[i % plane]);
  std::set<std::vector<float>> rows;
  for (int b = 0; b < 16; ++b) {
    rows.insert({first.begin() + b * units, first.begin() + (b + 1) * units});
  }
  EXPECT_EQ(rows.size(), 16u);
}

TEST_P(RecurrentDropout, LayerMaskActsOnLaterLayersAlone) {
  RecurrentConfig config = relu_config(2);
  config.layer_dropout = rate;
  expect_mask(input_factors(GetParam(), config, {.lengths = Lengths(16, 1)}));
  RecurrentConfig one_layer = relu_config(1);
  one_layer.layer_dropout = rate;
  for (const float factor : input_factors(GetParam(), one_layer, {})) EXPECT_EQ(factor, 1.0f);
}

TEST_P(RecurrentDropout, MasksDependOnSeedAndStepAndLayer) {
  RecurrentConfig config = relu_config();
  config.input_dropout = rate;
  RecurrentConfig second_layer = relu_config(2);
  second_layer.layer_dropout = rate;
  const auto base = input_factors(GetParam(), config, {});
  EXPECT_EQ(input_factors(GetParam(), config, {}), base);
  EXPECT_NE(input_factors(GetParam(), config, {.seed = 6}), base);
  EXPECT_NE(input_factors(GetParam(), config, {.seed = 5 + (std::uint64_t{1} << 40)}), base);
  EXPECT_NE(input_factors(GetParam(), config, {.step = 2}), base);
  EXPECT_NE(input_factors(GetParam(), second_layer, {}), base);
}

TEST_P(RecurrentDropout, MaskBelongsToTheCallersRow) {
  RecurrentConfig config = relu_config();
  config.input_dropout = rate;
  const auto equal = input_factors(GetParam(), config, {.lengths = {3, 3, 3, 3}});
  const auto ragged = input_factors(GetParam(), config, {.lengths = {1, 3, 2, 1}});
  for (std::size_t i = 0; i < 4 * units; ++i) ASSERT_EQ(equal[i], ragged[i]) << "row " << i / units;
}

// h_t = m h_{t-1}: after t steps m^t.
TEST_P(RecurrentDropout, RecurrentMaskIsConstantOverTime) {
  RecurrentConfig config = relu_config();
  config.recurrent_dropout = rate;
  const SequenceLayout layout = SequenceLayout::equal(3, 16);
  RecurrentPass<float> pass(config, GetParam(), layout);
  clear(pass);
  set_diagonal(pass, "weight_hh_l0", 1.0f);
  pass.h0.assign(pass.state_count(), 1.0f);
  pass.seed = 5;
  pass.forward();
  const std::size_t plane = 16 * units;
  const std::vector<float> first(pass.y.begin(), pass.y.begin() + plane);
  expect_mask(first);
  for (std::size_t i = 0; i < pass.y.size(); ++i) {
    ASSERT_NEAR(pass.y[i], std::pow(first[i % plane], 1 + i / plane), 1e-4);
  }
}

/// LSTM, one step from h0 = 1: only gate `gate` sees h, and the others are set so that the output
/// tells whether it did. Returns 1 where the mask kept h, 0 where it dropped it.
std::vector<int> kept_by_lstm_gate(const Backend& backend, int gate) {
  RecurrentConfig config = relu_config();
  config.cell = Cell::lstm;
  config.recurrent_dropout = rate;
  RecurrentPass<float> pass(config, backend, SequenceLayout::equal(1, 16));
  clear(pass);
  set_diagonal(pass, "weight_hh_l0", 8.0f, gate);
  const float open = 20.0f, shut = -20.0f;
  if (gate != 0) set_bias(pass, 0, gate == 1 ? shut : open);  // f: c = f c0, else c = i g
  if (gate != 1) set_bias(pass, 1, shut);
  if (gate != 2) set_bias(pass, 2, open);
  if (gate != 3) set_bias(pass, 3, open);
  pass.h0.assign(pass.state_count(), 1.0f);
  pass.c0.assign(pass.state_count(), 1.0f);
  pass.seed = 5;
  pass.forward();
  // Kept: the gate is 1, so h = tanh(1). Dropped: it is 1/2 (g: 0), so h is below 0.47.
  std::vector<int> kept;
  for (const float h : pass.y) kept.push_back(h > 0.7f);
  return kept;
}

TEST_P(RecurrentDropout, EachGateOfTheLstmHasItsOwnRecurrentMask) {
  std::set<std::vector<int>> masks;
  for (int gate = 0; gate < 4; ++gate) {
    const std::vector<int> kept = kept_by_lstm_gate(GetParam(), gate);
    const double count = static_cast<double>(kept.size());
    EXPECT_NEAR(std::accumulate(kept.begin(), kept.end(), 0) / count, 1 - rate,
                4 * std::sqrt(rate * (1 - rate) / count));
    masks.insert(kept);
  }
  EXPECT_EQ(masks.size(), 4u);
}

TEST_P(RecurrentDropout, InferenceHasNone) {
  RecurrentConfig config = relu_config(2);
  config.cell = Cell::gru;
  const SequenceLayout layout(Lengths{3, 1, 4});
  RecurrentPass<float> without(config, GetParam(), layout, false);
  config.input_dropout = config.layer_dropout = config.recurrent_dropout = 0.5;
  RecurrentPass<float> with(config, GetParam(), layout, false);
  for (RecurrentPass<float>* pass : {&without, &with}) {
    fill_inputs(*pass);
    pass->forward();
  }
  EXPECT_EQ(with.y, without.y);
}

// Gradients of what evaluation computes, as for saliency: the bits of a plan without dropout.
TEST_P(RecurrentDropout, ANetworkInEvaluationHasGradientsToo) {
  const SequenceLayout layout({4, 2, 3});
  RecurrentConfig config = relu_config(2);
  RecurrentPass<float> without(config, GetParam(), layout);
  config.input_dropout = config.layer_dropout = config.recurrent_dropout = 0.5;
  RecurrentPass<float> with(config, GetParam(), layout);
  with.drops = false;
  for (RecurrentPass<float>* pass : {&without, &with}) {
    fill_inputs(*pass);
    pass->forward();
    pass->backward();
  }
  EXPECT_TRUE(same_bits(with.y, without.y));
  EXPECT_TRUE(same_bits(with.dx, without.dx));
  EXPECT_TRUE(same_bits(with.dh0, without.dh0));
  EXPECT_TRUE(same_bits(with.d_parameters, without.d_parameters));
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentDropout, ::testing::ValuesIn(backends),
                         [](const auto& test) { return name_of(test.param); });

}  // namespace
}  // namespace sluice::test
