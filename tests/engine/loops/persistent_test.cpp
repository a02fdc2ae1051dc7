// Whole passes by the persistent kernels against stepwise ones on the same device: stacked layers,
// both directions, rows of different lengths, every kind of dropout, training and inference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/base/error.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

using Parameters = std::tuple<Algorithm, Cell, bool>;  // dropout
class PersistentPass : public testing::TestWithParam<Parameters> {};

void expect_close(const char* name, const std::vector<float>& got,
                  const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size()) << name;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 2e-5f * std::max(1.0f, std::abs(expected[i])))
        << name << " at " << i;
  }
}

TEST_P(PersistentPass, GivesWhatStepwiseGives) {
  const auto [algorithm, cell, dropout] = GetParam();
  const Backend backend{DeviceKind::cuda, algorithm};
  if (const std::string why = why_unavailable(backend, cell); !why.empty()) GTEST_SKIP() << why;
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = 5;
  config.hidden_size = 34;  // three tiles of units, the last one not full
  config.num_layers = 2;
  config.bidirectional = true;
  if (dropout) config.input_dropout = config.layer_dropout = config.recurrent_dropout = 0.3;
  const SequenceLayout layout({3, 1, 4, 4, 2, 1, 3, 4, 2});  // two groups of rows
  const bool shares = !dropout;  // rows share five inputs, which the launch fetches itself
  for (const bool training : {true, false}) {
    const PassShape shape{.rows = layout.rows(),
                          .steps = layout.steps(),
                          .batch = layout.batch(),
                          .training = training,
                          .shared_rows = shares ? 5 : 0};
    RecurrentPass<float> stepwise(config, {DeviceKind::cuda, Algorithm::stepwise}, layout, shape);
    RecurrentPass<float> persistent(config, backend, layout, shape);
    for (RecurrentPass<float>* pass : {&stepwise, &persistent}) {
      fill_inputs(*pass);
      for (float& weight : pass->parameters) weight *= 0.3f;
      if (shares) {
        for (std::size_t n = 0; n < pass->rows(); ++n)
          pass->x_index.push_back(static_cast<std::int32_t>(n * 7 % 5));
        pass->x.resize(5 * 5);
      }
      pass->forward();
      if (training) pass->backward();
    }
    SCOPED_TRACE(training ? "training" : "inference");
    expect_close("y", persistent.y, stepwise.y);
    expect_close("h_n", persistent.h_n, stepwise.h_n);
    expect_close("c_n", persistent.c_n, stepwise.c_n);
    expect_close("dx", persistent.dx, stepwise.dx);
    expect_close("dh0", persistent.dh0, stepwise.dh0);
    expect_close("dc0", persistent.dc0, stepwise.dc0);
    expect_close("d_parameters", persistent.d_parameters, stepwise.d_parameters);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, PersistentPass,
    testing::Values(Parameters{Algorithm::persistent_block, Cell::lstm, true},
                    Parameters{Algorithm::persistent_cluster, Cell::lstm, false},
                    Parameters{Algorithm::persistent_cluster, Cell::gru, true},
                    Parameters{Algorithm::persistent_grid, Cell::rnn_tanh, false},
                    Parameters{Algorithm::persistent_grid, Cell::gru, true}),
    [](const auto& test) {
      return name_of(Backend{DeviceKind::cuda, std::get<0>(test.param)}) + "_" +
             sluice::name_of(std::get<1>(test.param)) + (std::get<2>(test.param) ? "_dropout" : "");
    });

RecurrentConfig config_of(Cell cell, std::int64_t hidden) {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = config.hidden_size = hidden;
  return config;
}

std::string refusal(const RecurrentConfig& config, DeviceKind device, Algorithm algorithm) {
  try {
    RecurrentPlan plan(config, device, algorithm);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    return error.what();
  }
  return "";
}

TEST(PersistentPlan, SaysWhyAnAlgorithmCannotBeHad) {
  EXPECT_NE(refusal(config_of(Cell::lstm, 64), DeviceKind::cpu, Algorithm::persistent_block)
                .find("runs on CUDA alone"),
            std::string::npos);
  const std::string huge =
      refusal(config_of(Cell::lstm, 4096), DeviceKind::cuda, Algorithm::persistent_block);
  EXPECT_NE(huge.find("does not fit"), std::string::npos) << huge;
  EXPECT_NE(huge.find("use stepwise"), std::string::npos) << huge;
}

TEST(PersistentPlan, AutomaticTakesWhatFits_cuda) {
  if (persistent_limits().major < 9) GTEST_SKIP() << "no GPU with thread-block clusters";
  const auto plan = [](Cell cell, std::int64_t hidden) {
    RecurrentConfig config = config_of(cell, hidden);
    config.data_type = DataType::bfloat16;
    return RecurrentPlan(config, DeviceKind::cuda);
  };
  const auto chosen = [&](Cell cell, std::int64_t hidden) {
    return plan(cell, hidden).algorithm({.rows = 1600, .steps = 100, .batch = 16});
  };
  EXPECT_EQ(chosen(Cell::lstm, 64), Algorithm::persistent_block);
  EXPECT_EQ(chosen(Cell::lstm, 256), Algorithm::persistent_cluster);
  const Algorithm large = chosen(Cell::lstm, 4096);  // cuDNN where it is there
  EXPECT_TRUE(large == Algorithm::stepwise || large == Algorithm::cudnn) << name_of(large);
  EXPECT_EQ(chosen(Cell::gru_reset_before, 64), Algorithm::stepwise);
  const std::string text = plan(Cell::lstm, 64).explain({.rows = 100, .steps = 10, .batch = 10});
  EXPECT_NE(text.find("persistent_block"), std::string::npos) << text;
  EXPECT_NE(text.find("2 groups of 8 rows"), std::string::npos) << text;
  EXPECT_NE(text.find("persistent_cluster: "), std::string::npos) << "the others' times: " << text;
  EXPECT_NE(text.find("no algorithm takes less than"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice::test
