// Gradients of recurrent layers against central finite differences in double precision, with the
// step and the tolerances of PyTorch's gradcheck.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

constexpr double epsilon = 1e-6, rtol = 1e-3, atol = 1e-5;

struct Sizes {
  std::int64_t input, hidden;
  std::vector<std::int32_t> lengths;
};
const Sizes equal_lengths = {3, 4, {4, 4}};
const Sizes ragged_lengths = {3, 4, {2, 5, 1}};
const Sizes wide_hidden = {3, 17, {3, 1, 4}};  // more than a vector's width and no multiple of it

enum class Options { none, dropout, zoneout_h, zoneout, all };  // `dropout`: on the inputs too
constexpr const char* names_of_options[] = {"", "dropout_", "zoneout_h_", "zoneout_", "all_"};

void turn_on(RecurrentConfig& config, Options options) {
  const bool all = options == Options::all;
  if (all || options == Options::dropout) {
    config.input_dropout = 0.3;
    config.layer_dropout = 0.4;
    config.recurrent_dropout = 0.25;
  }
  if (all || options == Options::zoneout_h || options == Options::zoneout) config.zoneout_h = 0.3;
  if ((all || options == Options::zoneout) && has_cell_state(config.cell)) config.zoneout_c = 0.4;
}

class RecurrentGradient
    : public ::testing::TestWithParam<std::tuple<Cell, int, bool, const Sizes*, Options, Backend>> {
};

/// The loss whose gradient by (y, h_n, c_n) is (dy, dh_n, dc_n).
double loss_of(RecurrentPass<double>& pass) {
  pass.forward();
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  return dot(pass.y, pass.dy) + dot(pass.h_n, pass.dh_n) + dot(pass.c_n, pass.dc_n);
}

void expect_derivatives(RecurrentPass<double>& pass, const char* name, std::vector<double>& input,
                        const std::vector<double>& gradient) {
  ASSERT_EQ(gradient.size(), input.size()) << name;
  int wrong = 0;
  for (std::size_t i = 0; i < input.size() && wrong < 3; ++i) {
    const double value = input[i];
    input[i] = value + epsilon;
    const double above = loss_of(pass);
    input[i] = value - epsilon;
    const double below = loss_of(pass);
    input[i] = value;
    const double expected = (above - below) / (2 * epsilon);
    if (std::abs(gradient[i] - expected) <= atol + rtol * std::abs(expected)) continue;
    ++wrong;
    ADD_FAILURE() << name << "[" << i << "] is " << gradient[i] << ", finite differences give "
                  << expected;
  }
}

TEST_P(RecurrentGradient, AgreesWithFiniteDifferences) {
  const auto& [cell, layers, bidirectional, sizes, options, backend] = GetParam();
  if (const std::string why = why_unavailable(backend, cell, DataType::float64); !why.empty()) {
    GTEST_SKIP() << why;
  }
  RecurrentConfig config;
  config.cell = cell;
  config.data_type = DataType::float64;
  config.input_size = sizes->input;
  config.hidden_size = sizes->hidden;
  config.num_layers = layers;
  config.bidirectional = bidirectional;
  turn_on(config, options);
  RecurrentPass<double> pass(config, backend, SequenceLayout(sizes->lengths));
  fill_inputs(pass);
  pass.seed = 77;
  pass.step = {3};

  pass.forward();
  pass.backward();
  const std::vector<double> d_parameters = pass.d_parameters, dx = pass.dx, dh0 = pass.dh0,
                            dc0 = pass.dc0;
  expect_derivatives(pass, "dx", pass.x, dx);
  expect_derivatives(pass, "dh0", pass.h0, dh0);
  expect_derivatives(pass, "dc0", pass.c0, dc0);
  expect_derivatives(pass, "d_parameters", pass.parameters, d_parameters);
}

std::string test_name(const ::testing::TestParamInfo<RecurrentGradient::ParamType>& test) {
  const auto& [cell, layers, bidirectional, sizes, options, backend] = test.param;
  return std::string(sluice::name_of(cell)) + "_l" + std::to_string(layers) +
         (bidirectional ? "_d2" : "_d1") + (sizes == &equal_lengths ? "_equal" : "_ragged") + "_" +
         names_of_options[static_cast<int>(options)] + name_of(backend);
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentGradient,
                         ::testing::Combine(::testing::ValuesIn(all_cells), ::testing::Values(1, 2),
                                            ::testing::Bool(),
                                            ::testing::Values(&equal_lengths, &ragged_lengths),
                                            ::testing::Values(Options::none, Options::all),
                                            ::testing::ValuesIn(backends)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(
    EachOption, RecurrentGradient,
    ::testing::Combine(::testing::ValuesIn(all_cells), ::testing::Values(2),
                       ::testing::Values(true), ::testing::Values(&ragged_lengths),
                       ::testing::Values(Options::dropout, Options::zoneout_h, Options::zoneout),
                       ::testing::ValuesIn(backends)),
    test_name);
INSTANTIATE_TEST_SUITE_P(WideHidden, RecurrentGradient,
                         ::testing::Combine(::testing::ValuesIn(all_cells), ::testing::Values(1),
                                            ::testing::Values(false),
                                            ::testing::Values(&wide_hidden),
                                            ::testing::Values(Options::all),
                                            ::testing::ValuesIn(backends)),
                         test_name);

}  // namespace
}  // namespace sluice::test
