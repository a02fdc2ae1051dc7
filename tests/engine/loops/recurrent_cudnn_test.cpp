// Plans whose algorithm is cuDNN's, against the CPU: every output of both passes. Also run against
// the imagined cuDNN of tests/cuda_on_cpu/, which knows cuDNN's rules and Sluice's cells not at
// all.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/cudnn/cudnn.h"
#include "tests/engine/exact_pass.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

std::string why_no_cudnn() {
  const std::string why = why_unavailable(DeviceKind::cuda);
  return why.empty() ? cudnn_presence().problem : why;
}

template <class Number>
void expect_close(const char* name, const std::vector<Number>& got,
                  const std::vector<Number>& expected) {
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

/// Rows that share their inputs, if `distinct` is not 0.
template <class S>
void compare_16_bit(RecurrentConfig config, const SequenceLayout& layout, Algorithm algorithm,
                    std::int64_t distinct = 0) {
  SCOPED_TRACE(sluice::name_of(type_of<S>));
  config.data_type = type_of<S>;
  const PassShape shape{layout.rows(), layout.steps(), layout.batch(), true, distinct};
  RecurrentPass<S> pass(config, {DeviceKind::cuda, algorithm}, layout, shape);
  fill_smoothly(pass);
  pass.seed = 7;
  if (distinct > 0) {
    pass.x = random_numbers<S>(distinct * config.input_size, 9);
    for (std::int64_t n = 0; n < layout.rows(); ++n)
      pass.x_index.push_back(static_cast<std::int32_t>(n * 3 % distinct));
  }
  pass.forward();
  pass.backward();
  expect_near_exact(pass, shape);
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
  compare_16_bit<BFloat16>(config, layout, Algorithm::cudnn);
  compare_16_bit<Float16>(config, layout, Algorithm::cudnn);
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
  for (const int count : {1, 2, 3, 4}) {
    RecurrentConfig config = layers(Cell::lstm, count, true);
    config.input_dropout = 0.3;
    config.layer_dropout = 0.4;
    compare<float>(config, SequenceLayout(ragged), Algorithm::cudnn,
                   [](auto& pass) { pass.seed = 7, pass.step = {3}; });
    if (count == 3) compare_16_bit<BFloat16>(config, SequenceLayout(ragged), Algorithm::cudnn);
  }
}

TEST_P(RecurrentCudnnOptions, NullPointersMeanZerosOrNotWanted) {
  compare<float>(layers(Cell::lstm, 2, true), SequenceLayout(ragged), Algorithm::cudnn,
                 [](auto& pass) {
                   pass.h0.clear(), pass.c0.clear(), pass.dh_n.clear(), pass.dc_n.clear();
                   pass.want_final_states = pass.want_dx = pass.want_d_states = false;
                 });
  compare<float>(layers(Cell::gru, 1, false), SequenceLayout(ragged), Algorithm::cudnn,
                 [](auto& pass) {
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
  RecurrentPass<float> got(config, {DeviceKind::cuda, Algorithm::cudnn}, layout,
                           PassShape{72, 9, 8, true});
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
    for (std::int64_t n = 0; n < layout.rows(); ++n)
      pass->x_index.push_back(static_cast<std::int32_t>(n * 3 % distinct));
    pass->forward();
    pass->backward();
  }
  expect_close("y", got.y, expected.y);
  expect_close("dx", got.dx, expected.dx);
  expect_close("d_parameters", got.d_parameters, expected.d_parameters);
  compare_16_bit<BFloat16>(config, layout, Algorithm::cudnn, distinct);
  compare_16_bit<Float16>(config, layout, Algorithm::cudnn, distinct);
}

TEST_P(RecurrentCudnnOptions, Tf32IsUsedOnRequestAlone) {
  RecurrentConfig config = layers(Cell::lstm, 1, false);
  const SequenceLayout layout = SequenceLayout::equal(3, 4);
  RecurrentPass<float> ieee(config, {DeviceKind::cuda, Algorithm::cudnn}, layout);
  config.math = MatrixMath::tf32;
  RecurrentPass<float> tf32(config, {DeviceKind::cuda, Algorithm::cudnn}, layout);
  for (RecurrentPass<float>* pass : {&ieee, &tf32}) {
    fill_inputs(*pass);
    pass->forward();
  }
  EXPECT_FALSE(same_bits(tf32.y, ieee.y));
  expect_near_in_the_mean("y", as<double>(tf32.y), as<double>(ieee.y), 2e-3);
}

TEST_P(RecurrentCudnnOptions, AlgorithmsOfCudnnCanBeForced) {
  RecurrentConfig config = layers(Cell::lstm, 1, false);
  config.hidden_size = config.input_size = 128;  // which each of them takes
  for (const Algorithm algorithm :
       {Algorithm::cudnn_persist_static, Algorithm::cudnn_persist_static_small_h}) {
    compare<float>(config, SequenceLayout::equal(2, 8), algorithm, unchanged);
    compare_16_bit<Float16>(config, SequenceLayout::equal(2, 8), algorithm);
  }
}

/// What the usage error of `run` says.
template <class Run>
std::string usage_error(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

void expect_words(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    EXPECT_NE(text.find(word), std::string::npos) << word << " in: " << text;
}

TEST_P(RecurrentCudnnOptions, WhatAnAlgorithmOfCudnnRefusesIsAUsageErrorInItsWords) {
  const RecurrentConfig config = layers(Cell::lstm, 1, false);
  const std::vector<std::string> refused = {"persist_static_small_h", "lstm",
                                            "CUDNN_STATUS_NOT_SUPPORTED", "use cudnn_standard"};
  const std::string ragged_rows = usage_error([&] {
    const SequenceLayout even(std::vector<std::int32_t>{2, 5, 1, 5});
    compare<float>(config, even, Algorithm::cudnn_persist_static_small_h, unchanged);
  });
  expect_words(ragged_rows, refused);
  expect_words(ragged_rows, {"T 5, B 4, rows of different lengths"});
  RecurrentConfig wide = config;
  wide.data_type = DataType::float64;
  const std::string type = usage_error([&] {
    RecurrentPlan(wide, DeviceKind::cuda, Algorithm::cudnn_persist_static_small_h)
        .workspace_bytes({20, 5, 4, true});
  });
  expect_words(type, refused);
  expect_words(type, {"float64"});
}

TEST_P(RecurrentCudnnOptions, ExplainNamesTheAlgorithmOfCudnn) {
  const RecurrentPlan plan(layers(Cell::lstm, 1, false), DeviceKind::cuda, Algorithm::cudnn);
  EXPECT_NE(plan.explain({20, 5, 4, true}).find("persist_static_small_h"), std::string::npos);
  EXPECT_NE(plan.explain({16, 5, 4, true}).find("standard"), std::string::npos);
}

// Where it is there, it is weighed; what it lacks is said where it is not.
TEST_P(RecurrentCudnnOptions, ExplainOfAutomaticWeighsCudnnOrSaysWhyNot) {
  const PassShape shape{20, 5, 4, true};
  for (const DataType type :
       {DataType::float32, DataType::float64, DataType::bfloat16, DataType::float16}) {
    RecurrentConfig config = layers(Cell::lstm, 1, false);
    config.data_type = type;
    expect_words(RecurrentPlan(config, DeviceKind::cuda).explain(shape), {"\n  cudnn: 0."});
    config.recurrent_dropout = 0.5;
    expect_words(RecurrentPlan(config, DeviceKind::cuda).explain(shape),
                 {"\n  cudnn: not here, since cuDNN has no dropout on the recurrent state"});
  }
}

TEST_P(RecurrentCudnnOptions, AutomaticIsCudnnWhereItIsExpectedToBeTheFastest) {
  RecurrentConfig config = layers(Cell::lstm, 1, false);
  config.data_type = DataType::float16;
  config.input_size = config.hidden_size = 2560;  // more than persistent_grid holds
  const PassShape shape{64 * 25, 25, 64, true};
  RecurrentPlan plan(config, DeviceKind::cuda);
  EXPECT_EQ(plan.algorithm(shape), Algorithm::cudnn) << plan.explain(shape);
  config.recurrent_dropout = 0.5;
  EXPECT_EQ(RecurrentPlan(config, DeviceKind::cuda).algorithm(shape), Algorithm::stepwise);
}

TEST(RecurrentCudnnConfig, WhatCudnnDoesNotHaveIsRefusedByName) {
  for (const Algorithm algorithm :
       {Algorithm::cudnn, Algorithm::cudnn_standard, Algorithm::cudnn_persist_static}) {
    const auto refusal = [&](const RecurrentConfig& config, DeviceKind device) {
      return usage_error([&] { RecurrentPlan(config, device, algorithm); });
    };
    const std::string name = std::string("algorithm ") + name_of(algorithm);
    const RecurrentConfig plain = layers(Cell::lstm, 1, false);
    RecurrentConfig config = plain;
    expect_words(refusal(config, DeviceKind::cpu),
                 {name, "CUDA alone", "use row_blocks or automatic"});
    config.cell = Cell::gru_reset_before;
    expect_words(refusal(config, DeviceKind::cuda),
                 {name, "resets after the product (cell gru)", "use stepwise or automatic"});
    config = plain;
    config.recurrent_dropout = 0.5;
    expect_words(refusal(config, DeviceKind::cuda),
                 {name, "no dropout on the recurrent state", "use stepwise or automatic"});
    config = plain;
    config.gate_input = true;
    expect_words(refusal(config, DeviceKind::cuda),
                 {name, "gate_input", "use stepwise or automatic"});
    config = plain;
    config.hidden_size = (std::int64_t{1} << 30) + 1;
    expect_words(refusal(config, DeviceKind::cuda), {name, "2^30"});
  }
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
