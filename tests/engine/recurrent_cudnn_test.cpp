// Plans whose algorithm is cuDNN's, against the CPU: every output of both passes. Also run against
// the imagined cuDNN of tests/cuda_on_cpu/, which knows cuDNN's rules and Sluice's cells not at all.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/cudnn.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

std::string why_no_cudnn() {
  const std::string why = why_unavailable(DeviceKind::cuda);
  return why.empty() ? cudnn_presence().problem : why;
}

template <class Number>
void expect_close(const char* name, const std::vector<Number>& got, const std::vector<Number>& expected) {
  ASSERT_EQ(got.size(), expected.size()) << name;
  const double allowed = sizeof(Number) == 8 ? 1e-10 : 2e-5;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double size = std::max(1.0, std::abs(static_cast<double>(expected[i])));
    ASSERT_NEAR(got[i], expected[i], allowed * size) << name << "[" << i << "]";
  }
}

/// Both passes on the CPU and by cuDNN, with `change` applied to each pass before it runs.
template <class Number, class Change>
void compare(const RecurrentConfig& config, const SequenceLayout& layout, Algorithm algorithm,
             const Change& change) {
  RecurrentPass<Number> expected(config, {DeviceKind::cpu, Algorithm::stepwise}, layout);
  RecurrentPass<Number> got(config, {DeviceKind::cuda, algorithm}, layout);
  for (RecurrentPass<Number>* pass : {&expected, &got}) {
    fill_inputs(*pass);
    change(*pass);
    pass->forward();
    pass->backward();
  }
  expect_close("y", got.y, expected.y);
  if (got.want_final_states) {
    expect_close("h_n", got.h_n, expected.h_n);
    expect_close("c_n", got.c_n, expected.c_n);
  }
  if (got.want_dx) expect_close("dx", got.dx, expected.dx);
  if (got.want_d_states) {
    expect_close("dh0", got.dh0, expected.dh0);
    expect_close("dc0", got.dc0, expected.dc0);
  }
  if (got.want_d_parameters) expect_close("d_parameters", got.d_parameters, expected.d_parameters);
}

RecurrentConfig layers(Cell cell, int count, bool bidirectional) {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = 5;
  config.hidden_size = 6;
  config.num_layers = count;
  config.bidirectional = bidirectional;
  return config;
}

const std::vector<std::int32_t> ragged = {2, 5, 1, 5, 3};
constexpr Cell covered[] = {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru};
const auto unchanged = [](auto&) {};

using Case = std::tuple<Cell, int, bool, bool>;  // cell, layers, both directions, ragged
class RecurrentCudnn : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_cudnn(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_P(RecurrentCudnn, AgreesWithTheCpu) {
  const auto& [cell, count, bidirectional, is_ragged] = GetParam();
  const SequenceLayout layout = is_ragged ? SequenceLayout(ragged) : SequenceLayout::equal(5, 4);
  RecurrentConfig config = layers(cell, count, bidirectional);
  compare<float>(config, layout, Algorithm::cudnn, unchanged);
  compare<float>(config, layout, Algorithm::cudnn_standard, unchanged);
  config.data_type = DataType::float64;
  compare<double>(config, layout, Algorithm::cudnn, unchanged);
}

std::string name_of_case(const ::testing::TestParamInfo<Case>& test) {
  const auto& [cell, count, both, is_ragged] = test.param;
  return std::string(name_of(cell)) + "_l" + std::to_string(count) + (both ? "_d2" : "_d1") +
         (is_ragged ? "_ragged" : "_equal");
}
INSTANTIATE_TEST_SUITE_P(cuda, RecurrentCudnn,
                         ::testing::Combine(::testing::ValuesIn(covered), ::testing::Values(1, 3),
                                            ::testing::Bool(), ::testing::Bool()),
                         name_of_case);

class RecurrentCudnnOptions : public RecurrentCudnn {};
INSTANTIATE_TEST_SUITE_P(cuda, RecurrentCudnnOptions,
                         ::testing::Values(Case{Cell::lstm, 3, true, true}), name_of_case);

TEST_P(RecurrentCudnnOptions, DropoutOnInputsIsThatOfTheOtherAlgorithms) {
  RecurrentConfig config = layers(Cell::lstm, 3, true);
  config.input_dropout = 0.3;
  config.layer_dropout = 0.4;
  compare<float>(config, SequenceLayout(ragged), Algorithm::cudnn,
                 [](auto& pass) { pass.seed = 7, pass.step = {3}; });
}

TEST_P(RecurrentCudnnOptions, NullPointersMeanZerosOrNotWanted) {
  compare<float>(layers(Cell::lstm, 2, true), SequenceLayout(ragged), Algorithm::cudnn, [](auto& pass) {
    pass.h0.clear(), pass.c0.clear(), pass.dh_n.clear(), pass.dc_n.clear();
    pass.want_final_states = pass.want_dx = pass.want_d_states = false;
  });
  compare<float>(layers(Cell::gru, 1, false), SequenceLayout(ragged), Algorithm::cudnn, [](auto& pass) {
    pass.dy.clear();
    pass.want_d_parameters = false;
  });
}

TEST_P(RecurrentCudnnOptions, InferenceGivesTheSameOutputs) {
  const RecurrentConfig config = layers(Cell::lstm, 2, true);
  const SequenceLayout layout(ragged);
  RecurrentPass<float> training(config, {DeviceKind::cuda, Algorithm::cudnn}, layout);
  RecurrentPass<float> inference(config, {DeviceKind::cuda, Algorithm::cudnn}, layout, false);
  for (auto* pass : {&training, &inference}) {
    fill_inputs(*pass);
    pass->forward();
  }
  expect_close("y", inference.y, training.y);
  expect_close("c_n", inference.c_n, training.c_n);
}

TEST_P(RecurrentCudnnOptions, ASmallerBatchFitsIntoBuffersForALargerOne) {
  const RecurrentConfig config = layers(Cell::gru, 2, true);
  const SequenceLayout layout(ragged);
  RecurrentPass<float> expected(config, {DeviceKind::cpu, Algorithm::stepwise}, layout);
  RecurrentPass<float> got(config, {DeviceKind::cuda, Algorithm::cudnn}, layout, PassShape{72, 9, 8, true});
  for (auto* pass : {&expected, &got}) {
    fill_inputs(*pass);
    pass->forward();
    pass->backward();
  }
  expect_close("d_parameters", got.d_parameters, expected.d_parameters);
}

TEST_P(RecurrentCudnnOptions, RowsCanShareTheirInputs) {
  const RecurrentConfig config = layers(Cell::lstm, 2, true);
  const SequenceLayout layout(ragged);
  constexpr std::int64_t distinct = 4;
  const PassShape shape{layout.rows(), layout.steps(), layout.batch(), true, distinct};
  RecurrentPass<float> expected(config, {DeviceKind::cpu, Algorithm::stepwise}, layout, shape);
  RecurrentPass<float> got(config, {DeviceKind::cuda, Algorithm::cudnn}, layout, shape);
  for (auto* pass : {&expected, &got}) {
    fill_inputs(*pass);
    pass->x = random_numbers<float>(distinct * config.input_size, 9);
    for (std::int64_t n = 0; n < layout.rows(); ++n) pass->x_index.push_back(static_cast<std::int32_t>(n * 3 % distinct));
    pass->forward();
    pass->backward();
  }
  expect_close("y", got.y, expected.y);
  expect_close("dx", got.dx, expected.dx);
  expect_close("d_parameters", got.d_parameters, expected.d_parameters);
}

TEST_P(RecurrentCudnnOptions, AlgorithmsOfCudnnCanBeForced) {
  RecurrentConfig config = layers(Cell::lstm, 1, false);
  config.hidden_size = config.input_size = 128;  // which each of them takes
  for (const Algorithm algorithm : {Algorithm::cudnn_persist_static, Algorithm::cudnn_persist_static_small_h}) {
    compare<float>(config, SequenceLayout::equal(2, 8), algorithm, unchanged);
  }
}

TEST_P(RecurrentCudnnOptions, PersistentAlgorithmsRefuseRowsOfDifferentLengths) {
  try {
    compare<float>(layers(Cell::lstm, 1, false), SequenceLayout(ragged),
                   Algorithm::cudnn_persist_static_small_h, unchanged);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cuDNN"), std::string::npos) << error.what();
  }
}

TEST_P(RecurrentCudnnOptions, ExplainNamesTheAlgorithmOfCudnn) {
  const RecurrentPlan plan(layers(Cell::lstm, 1, false), DeviceKind::cuda, Algorithm::cudnn);
  EXPECT_NE(plan.explain({20, 5, 4, true}).find("persist_static_small_h"), std::string::npos);
  EXPECT_NE(plan.explain({16, 5, 4, true}).find("standard"), std::string::npos);
}

TEST(RecurrentCudnnConfig, WhatCudnnDoesNotHaveIsRefusedByName) {
  const auto refusal = [](const RecurrentConfig& config, DeviceKind device) {
    try {
      RecurrentPlan(config, device, Algorithm::cudnn);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::usage);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  RecurrentConfig config = layers(Cell::gru_reset_before, 1, false);
  EXPECT_NE(refusal(config, DeviceKind::cuda).find("resets after"), std::string::npos);
  config.cell = Cell::lstm;
  EXPECT_NE(refusal(config, DeviceKind::cpu).find("CUDA alone"), std::string::npos);
  config.recurrent_dropout = 0.5;
  EXPECT_NE(refusal(config, DeviceKind::cuda).find("recurrent state"), std::string::npos);
}

TEST(RecurrentCudnnConfig, WithoutTheLibraryTheErrorSaysWhatIsMissing) {
  if (cudnn_presence().problem.empty()) GTEST_SKIP() << "cuDNN is there";
  try {
    RecurrentPlan(layers(Cell::lstm, 1, false), DeviceKind::cuda, Algorithm::cudnn);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(cudnn_presence().problem), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::test
