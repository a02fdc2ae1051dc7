// Recurrent layers against PyTorch, and for what it has no module of against autograd over the
// papers' formulas and ONNX Runtime: forward, every gradient, final states, in float32. The tensors
// and their names: tests/golden/make_recurrent_golden.py and make_cells_golden.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"
#include "tests/golden/golden_file.h"
#include "tests/golden/source_folder.h"

namespace sluice::test {
namespace {

const GoldenFile& layers_of_pytorch() {
  static const GoldenFile file(source_folder() + "/tests/golden/recurrent.safetensors");
  return file;
}
const GoldenFile& other_cells() {
  static const GoldenFile file(source_folder() + "/tests/golden/cells.safetensors");
  return file;
}
const GoldenFile& golden(const std::string& case_name) {
  return other_cells().has(case_name + "/lengths") ? other_cells() : layers_of_pytorch();
}

/// The cases in a file: each has exactly one tensor `case/lengths`.
std::vector<std::string> case_names(const GoldenFile& file) {
  static const std::string suffix = "/lengths";
  std::vector<std::string> names;
  for (const auto& [name, entry] : file.entries()) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      names.push_back(name.substr(0, name.size() - suffix.size()));
    }
  }
  return names;
}
std::vector<std::string> case_names() {
  std::vector<std::string> names = case_names(layers_of_pytorch());
  for (const std::string& name : case_names(other_cells())) names.push_back(name);
  return names;
}

Cell cell_of(const std::string& case_name) {
  const std::string cell = case_name.substr(0, case_name.find("_l"));
  for (const Cell candidate : all_cells) {
    if (cell == sluice::name_of(candidate)) return candidate;
  }
  throw std::runtime_error("unknown cell in golden case " + case_name);
}

RecurrentConfig config_of(const std::string& case_name) {
  const auto layers_at = case_name.find("_l") + 2;
  RecurrentConfig config;
  config.cell = cell_of(case_name);
  config.num_layers = case_name[layers_at] - '0';
  config.bidirectional = case_name[layers_at + 3] == '2';
  config.input_size = golden(case_name).shape(case_name + "/x")[2];
  config.hidden_size = golden(case_name).shape(case_name + "/h_n")[2];
  if (golden(case_name).has(case_name + "/rates")) {
    const std::vector<float> rates = golden(case_name).floats(case_name + "/rates");
    config.recurrent_dropout = rates[0];
    config.zoneout_h = rates[1];
    config.zoneout_c = rates[2];
  }
  return config;
}

/// rtol 1.3e-6 (PyTorch's for float32) grows with the square root of the steps.
void expect_close(const std::string& name, const std::vector<float>& got,
                  const std::vector<float>& expected, double steps) {
  ASSERT_EQ(got.size(), expected.size()) << name;
  const double rtol = 1.3e-6 * std::sqrt(steps), atol = 1e-5;
  int wrong = 0;
  double largest = 0.0;
  for (std::size_t i = 0; i < got.size() && wrong < 3; ++i) {
    const double difference = std::abs(double{got[i]} - double{expected[i]});
    largest = std::max(largest, difference);
    if (difference <= atol + rtol * std::abs(double{expected[i]})) continue;  // false for NaN
    ++wrong;
    ADD_FAILURE() << name << "[" << i << "] is " << got[i] << ", the reference has " << expected[i]
                  << ", difference " << difference;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", largest);
  testing::Test::RecordProperty("error_" + name, text);  // for a visit's report
}

class RecurrentGolden : public ::testing::TestWithParam<std::tuple<std::string, Backend>> {};

TEST_P(RecurrentGolden, ForwardAndGradientsAreThoseOfTheReference) {
  const auto& [name, backend] = GetParam();
  if (const std::string why = why_unavailable(backend, cell_of(name)); !why.empty())
    GTEST_SKIP() << why;
  const auto tensor = [&, case_name = name](const std::string& of) {
    const std::string full = case_name + "/" + of;
    const GoldenFile& file = golden(case_name);
    return file.has(full) ? file.floats(full) : std::vector<float>();
  };
  const SequenceLayout layout(golden(name).integers(name + "/lengths"));
  const RecurrentConfig config = config_of(name);
  const std::int64_t features = config.output_size();

  RecurrentPass<float> pass(config, backend, layout);
  pass.parameters = tensor("parameters");
  pass.x = packed(layout, tensor("x"), config.input_size);
  pass.h0 = tensor("h0");
  pass.c0 = tensor("c0");
  if (golden(name).has(name + "/draws")) {
    const std::vector<std::int32_t> draws = golden(name).integers(name + "/draws");
    pass.drops = draws[0] != 0;
    pass.seed = static_cast<std::uint64_t>(draws[1]);
    pass.step = {static_cast<std::uint32_t>(draws[2])};
  }
  pass.forward();
  expect_close("y", padded(layout, pass.y, features), tensor("y"), layout.steps());
  expect_close("h_n", pass.h_n, tensor("h_n"), layout.steps());
  expect_close("c_n", pass.c_n, tensor("c_n"), layout.steps());

  pass.dy = packed(layout, tensor("dy"), features);
  pass.dh_n = tensor("dh_n");
  pass.dc_n = tensor("dc_n");
  pass.backward();
  expect_close("dx", padded(layout, pass.dx, config.input_size), tensor("dx"), layout.steps());
  if (!pass.h0.empty()) expect_close("dh0", pass.dh0, tensor("dh0"), layout.steps());
  if (!pass.c0.empty()) expect_close("dc0", pass.dc0, tensor("dc0"), layout.steps());
  const std::vector<float> d_parameters = tensor("d_parameters");
  ASSERT_EQ(pass.d_parameters.size(), d_parameters.size());
  for (const ParameterView& view : recurrent_parameters(config)) {
    const auto part = [&](const std::vector<float>& all) {
      return std::vector<float>(all.begin() + view.offset, all.begin() + view.offset + view.size());
    };
    expect_close("d_" + view.name, part(pass.d_parameters), part(d_parameters), layout.steps());
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentGolden,
                         ::testing::Combine(::testing::ValuesIn(case_names()),
                                            ::testing::ValuesIn(backends)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + name_of(std::get<1>(test.param));
                         });

// Those whose units are enough for several blocks.
INSTANTIATE_TEST_SUITE_P(
    Persistent, RecurrentGolden,
    ::testing::Combine(::testing::Values("rnn_tanh_l1_d2_long_states", "rnn_relu_l1_d2_long_states",
                                         "lstm_l1_d2_long_states", "gru_l1_d2_long_states"),
                       ::testing::Values(Backend{DeviceKind::cuda, Algorithm::persistent_cluster},
                                         Backend{DeviceKind::cuda, Algorithm::persistent_grid})),
    [](const auto& test) {
      return std::get<0>(test.param) + "_" + name_of(std::get<1>(test.param));
    });

TEST(RecurrentGoldenFile, HoldsEveryCellWithOneAndTwoLayersAndDirections) {
  EXPECT_EQ(case_names(layers_of_pytorch()).size(), 5u * 2 * 2 * 2 * 2 + 5);
  EXPECT_EQ(case_names(other_cells()).size(), 3u * 3 * 2 + 3 + std::size(all_cells) * 2);
  for (const Cell cell : all_cells) {
    const std::string name = std::string(sluice::name_of(cell)) + "_l2_d2_ragged_states";
    EXPECT_TRUE(golden(name).has(name + "/y")) << name;
    EXPECT_TRUE(other_cells().has(name + "_training/y")) << name;
    EXPECT_TRUE(other_cells().has(name + "_evaluation/y")) << name;
  }
}

// An evaluation pass proper, which keeps nothing, mixes as one with a reserve that does not drop.
class EvaluationGolden : public RecurrentGolden {};

TEST_P(EvaluationGolden, InferenceGivesItsOutputsToo) {
  const auto& [name, backend] = GetParam();
  if (const std::string why = why_unavailable(backend, cell_of(name)); !why.empty())
    GTEST_SKIP() << why;
  const GoldenFile& file = golden(name);
  const SequenceLayout layout(file.integers(name + "/lengths"));
  const RecurrentConfig config = config_of(name);
  RecurrentPass<float> pass(config, backend, layout, false);
  pass.parameters = file.floats(name + "/parameters");
  pass.x = packed(layout, file.floats(name + "/x"), config.input_size);
  pass.h0 = file.floats(name + "/h0");
  if (has_cell_state(config.cell)) pass.c0 = file.floats(name + "/c0");
  pass.forward();
  expect_close("y", padded(layout, pass.y, config.output_size()), file.floats(name + "/y"),
               layout.steps());
  expect_close("h_n", pass.h_n, file.floats(name + "/h_n"), layout.steps());
}

std::vector<std::string> evaluation_names() {
  std::vector<std::string> names = case_names(other_cells());
  std::erase_if(names, [](const std::string& name) { return !name.ends_with("_evaluation"); });
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, EvaluationGolden,
                         ::testing::Combine(::testing::ValuesIn(evaluation_names()),
                                            ::testing::ValuesIn(backends)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + name_of(std::get<1>(test.param));
                         });

// The choice is made once in a process, so each of the others gets a process of its own.
TEST(RecurrentGoldenInstructionSet, LesserOnesPassToo) {
  if (std::getenv("SLUICE_INSTRUCTION_SET") != nullptr) GTEST_SKIP() << "one is chosen already";
#ifndef SLUICE_X86_64
  GTEST_SKIP() << "this processor has only the baseline";
#else
  std::vector<std::string> sets = {"baseline"};
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
    sets.push_back("avx2");
  }
  for (const std::string& set : sets) {
    const std::string command =
        "SLUICE_INSTRUCTION_SET=" + set +
        " /proc/$PPID/exe --gtest_brief=1 --gtest_filter='All/RecurrentGolden.*cpu*'";
    EXPECT_EQ(std::system(command.c_str()), 0) << "with " << set;
  }
#endif
}

}  // namespace
}  // namespace sluice::test
