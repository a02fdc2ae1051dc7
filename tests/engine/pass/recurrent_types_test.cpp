// Recurrent layers of 16-bit types against the same numbers in float64.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/base/error.h"
#include "tests/engine/exact_pass.h"
#include "tests/engine/plain_pass.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

constexpr Backend backends_of_16_bit[] = {{DeviceKind::cpu, Algorithm::stepwise},
                                          {DeviceKind::cpu, Algorithm::stepwise, 2},
                                          {DeviceKind::cuda, Algorithm::stepwise},
                                          {DeviceKind::cuda, Algorithm::persistent_block}};

class RecurrentTypes : public ::testing::TestWithParam<std::tuple<Cell, Backend>> {
 protected:
  void SetUp() override {
    const auto& [cell, backend] = GetParam();
    const std::string why = why_unavailable(backend, cell, DataType::bfloat16);
    if (!why.empty()) GTEST_SKIP() << why;
  }
};

double largest_error(const std::vector<double>& got, const std::vector<double>& exact) {
  double largest = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = std::abs(got[i] - exact[i]);
    if (!(error <= largest) && !std::isnan(largest)) largest = error;  // NaN stays
  }
  return largest;
}

// The rule of flash-attention's tests: no more than twice the plain low-precision code's error.
template <class S>
void check_against_plain(Cell cell, const Backend& backend) {
  RecurrentConfig config;
  config.cell = cell;
  config.data_type = type_of<S>;
  config.input_size = 9;
  config.hidden_size = 19;
  const SequenceLayout layout = SequenceLayout::equal(12, 5);
  RecurrentPass<S> pass(config, backend, layout);
  fill_smoothly(pass);
  pass.forward();
  pass.backward();
  RecurrentPass<double> exact(in_float64(config), exact_backend, layout);
  run_on_the_same(pass, exact);
  PlainPass<S> plain(config, 12, 5);
  plain.parameters = pass.parameters;
  plain.x = pass.x;
  plain.h0 = pass.h0;
  plain.c0 = pass.c0;
  plain.dy = pass.dy;
  plain.dh_n = pass.dh_n;
  plain.dc_n = pass.dc_n;
  plain.run();
  const auto check = [&](const std::string& name, const std::vector<double>& ours,
                         const std::vector<double>& plains, const std::vector<double>& exacts) {
    ASSERT_EQ(ours.size(), exacts.size()) << name;
    ASSERT_GE(plains.size(), exacts.size()) << name;
    EXPECT_LE(largest_error(ours, exacts), 2.0 * largest_error(plains, exacts) + 1e-5) << name;
  };
  check("y", as<double>(pass.y), plain.y, exact.y);
  check("h_n", as<double>(pass.h_n), plain.h_n, exact.h_n);
  check("c_n", as<double>(pass.c_n), plain.c_n, exact.c_n);
  check("dx", as<double>(pass.dx), plain.dx, exact.dx);
  check("dh0", as<double>(pass.dh0), plain.dh0, exact.dh0);
  check("dc0", as<double>(pass.dc0), plain.dc0, exact.dc0);
  const std::vector<double> ours = as<double>(pass.d_parameters);
  for (const ParameterView& view : recurrent_parameters(config)) {
    const auto part = [&](const std::vector<double>& all) {
      return std::vector<double>(all.begin() + view.offset,
                                 all.begin() + view.offset + view.size());
    };
    check(view.name, part(ours), part(plain.d_parameters), part(exact.d_parameters));
  }
}

TEST_P(RecurrentTypes, ErrAtMostTwiceAsMuchAsPlain16BitCode) {
  const auto [cell, backend] = GetParam();
  {
    SCOPED_TRACE("bfloat16");
    check_against_plain<BFloat16>(cell, backend);
  }
  SCOPED_TRACE("float16");
  check_against_plain<Float16>(cell, backend);
}

template <class S>
void check_whole(const RecurrentConfig& config, const Backend& backend,
                 const SequenceLayout& layout, bool shared) {
  const PassShape shape{layout.rows(), layout.steps(), layout.batch(), true, shared ? 3 : 0};
  RecurrentPass<S> pass(config, backend, layout, shape);
  fill_smoothly(pass);
  pass.seed = 11;
  if (shared) {
    pass.x = random_numbers<S>(3 * config.input_size, 8);
    for (std::size_t n = 0; n < pass.rows(); ++n)
      pass.x_index.push_back(static_cast<int>(n * n % 3));
  }
  pass.forward();
  pass.backward();
  expect_near_exact(pass, shape);
}

TEST_P(RecurrentTypes, TakeLayersDirectionsRaggedRowsOptionsAndSharedInputs) {
  const auto [cell, backend] = GetParam();
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = 6;
  config.hidden_size = 10;
  config.num_layers = 2;
  config.bidirectional = true;
  for (const bool dropout : {false, true}) {
    SCOPED_TRACE(dropout ? "with options and rows of equal length" : "with a shared input");
    config.layer_dropout = dropout ? 0.2 : 0.0;
    config.recurrent_dropout = dropout ? 0.25 : 0.0;
    config.zoneout_h = dropout ? 0.2 : 0.0;
    config.zoneout_c = dropout && has_cell_state(cell) ? 0.3 : 0.0;
    const SequenceLayout layout = dropout ? SequenceLayout::equal(4, 3)
                                          : SequenceLayout(std::vector<std::int32_t>{3, 7, 1, 5});
    config.data_type = DataType::bfloat16;
    check_whole<BFloat16>(config, backend, layout, !dropout);
    config.data_type = DataType::float16;
    check_whole<Float16>(config, backend, layout, !dropout);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentTypes,
                         ::testing::Combine(::testing::ValuesIn(all_cells),
                                            ::testing::ValuesIn(backends_of_16_bit)),
                         [](const auto& test) {
                           return std::string(sluice::name_of(std::get<0>(test.param))) + "_" +
                                  name_of(std::get<1>(test.param));
                         });

TEST(RecurrentTypesPlan, The16BitTypesRunStepwiseOnTheCpuAndTakeHalfTheReserve) {
  RecurrentConfig config;
  config.input_size = config.hidden_size = 64;
  const PassShape shape{.rows = 640, .steps = 10, .batch = 64};
  const RecurrentPlan wide(config, DeviceKind::cpu);
  config.data_type = DataType::bfloat16;
  const RecurrentPlan narrow(config, DeviceKind::cpu);
  EXPECT_EQ(narrow.algorithm(shape), Algorithm::stepwise);
  EXPECT_EQ(narrow.reserve_bytes(shape) * 2, wide.reserve_bytes(shape));
  EXPECT_NE(narrow.explain(shape).find("bfloat16"), std::string::npos);
  try {
    RecurrentPlan(config, DeviceKind::cpu, Algorithm::row_blocks);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("bfloat16"), std::string::npos) << error.what();
  }
}

TEST(RecurrentTypesPlan, Tf32IsNamedWhereItIsUsedAndWhereItIsNot) {
  RecurrentConfig config;
  config.input_size = config.hidden_size = 8;
  const PassShape shape{.rows = 8, .steps = 2, .batch = 4};
  EXPECT_EQ(RecurrentPlan(config, DeviceKind::cuda).explain(shape).find("TF32"), std::string::npos);
  config.math = MatrixMath::tf32;
  EXPECT_NE(RecurrentPlan(config, DeviceKind::cuda).explain(shape).find("multiplied as TF32"),
            std::string::npos);
  EXPECT_NE(RecurrentPlan(config, DeviceKind::cpu).explain(shape).find("the CPU has no TF32"),
            std::string::npos);
}

// The CPU's products stay IEEE; on CUDA the factors lose 13 bits, which shows, and no more.
TEST_P(RecurrentTypes, Tf32IsUsedOnRequestAloneAndOnCudaAlone) {
  const auto [cell, backend] = GetParam();
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = 9;
  config.hidden_size = 19;
  const SequenceLayout layout = SequenceLayout::equal(6, 3);
  RecurrentPass<float> ieee(config, backend, layout);
  config.math = MatrixMath::tf32;
  RecurrentPass<float> tf32(config, backend, layout);
  RecurrentPass<double> exact(in_float64(config), exact_backend, layout);
  for (RecurrentPass<float>* pass : {&ieee, &tf32}) {
    fill_inputs(*pass);
    pass->forward();
    pass->backward();
  }
  run_on_the_same(ieee, exact);
  expect_near_in_the_mean("y", as<double>(ieee.y), exact.y, 2e-6);
  expect_near_in_the_mean("d_parameters", as<double>(ieee.d_parameters), exact.d_parameters, 2e-6);
  if (backend.device == DeviceKind::cpu) {
    EXPECT_TRUE(same_bits(tf32.y, ieee.y) && same_bits(tf32.d_parameters, ieee.d_parameters));
  } else {
    EXPECT_FALSE(same_bits(tf32.y, ieee.y));
    EXPECT_FALSE(same_bits(tf32.dx, ieee.dx));
    expect_near_in_the_mean("y as TF32", as<double>(tf32.y), exact.y, 2e-3);
    expect_near_in_the_mean("d_parameters as TF32", as<double>(tf32.d_parameters),
                            exact.d_parameters, 2e-3);
  }
}

}  // namespace
}  // namespace sluice::test
