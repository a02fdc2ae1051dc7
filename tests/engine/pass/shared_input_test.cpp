// Packed rows that share their inputs, against the same rows with an input each.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/base/error.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

constexpr std::int64_t inputs = 5, distinct = 4;

class SharedInputTest : public ::testing::TestWithParam<std::tuple<Cell, bool, Backend>> {};

RecurrentConfig config_of(Cell cell, bool bidirectional) {
  RecurrentConfig config;
  config.cell = cell;
  config.data_type = DataType::float64;
  config.input_size = inputs;
  config.hidden_size = 17;
  config.num_layers = 2;
  config.bidirectional = bidirectional;
  return config;
}

// Row n reads input 1, 3, 0, 3, 1, ...: input 2 is nobody's.
std::vector<std::int32_t> index_of(std::int64_t rows) {
  constexpr std::int32_t pattern[] = {1, 3, 0, 3, 1};
  std::vector<std::int32_t> index;
  for (std::int64_t n = 0; n < rows; ++n) index.push_back(pattern[n * n % 5]);
  return index;
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected,
                 const char* what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], 1e-11 * (1.0 + std::abs(expected[i]))) << what << " " << i;
  }
}

TEST_P(SharedInputTest, EqualsAnInputOfEachRowsOwn) {
  const auto& [cell, bidirectional, backend] = GetParam();
  if (const std::string why = why_unavailable(backend, cell, DataType::float64); !why.empty()) {
    GTEST_SKIP() << why;
  }
  const RecurrentConfig config = config_of(cell, bidirectional);
  const SequenceLayout layout({3, 6, 1, 6});
  RecurrentPass<double> own(config, backend, layout);
  RecurrentPass<double> shared(
      config, backend, layout,
      PassShape{layout.rows() + 3, layout.steps(), layout.batch(), true, distinct + 1});
  fill_inputs(own);
  fill_inputs(shared);
  shared.x = random_numbers<double>(distinct * inputs, 9);
  shared.x_index = index_of(layout.rows());
  for (std::int64_t n = 0; n < layout.rows(); ++n) {
    std::copy_n(shared.x.begin() + shared.x_index[n] * inputs, inputs, own.x.begin() + n * inputs);
  }
  for (RecurrentPass<double>* pass : {&own, &shared}) {
    pass->forward();
    pass->backward();
  }
  expect_near(shared.y, own.y, "y");
  expect_near(shared.h_n, own.h_n, "h_n");
  expect_near(shared.d_parameters, own.d_parameters, "d_parameters");
  expect_near(shared.dh0, own.dh0, "dh0");
  std::vector<double> dx(distinct * inputs, 0.0);
  for (std::int64_t n = 0; n < layout.rows(); ++n) {
    for (std::int64_t i = 0; i < inputs; ++i) {
      dx[shared.x_index[n] * inputs + i] += own.dx[n * inputs + i];
    }
  }
  expect_near(shared.dx, dx, "dx");
}

TEST_P(SharedInputTest, GatesOfTheirOwnEqualOneHotInputs) {
  const auto& [cell, bidirectional, backend] = GetParam();
  if (const std::string why = why_unavailable(backend, cell, DataType::float64); !why.empty()) {
    GTEST_SKIP() << why;
  }
  RecurrentConfig one_hot = config_of(cell, bidirectional), gates = one_hot;
  one_hot.input_size = distinct;
  gates.gate_input = true;
  gates.input_size = gate_count(cell) * gates.hidden_size;  // of x; the engine does not read it
  const SequenceLayout layout({3, 6, 1, 6});
  RecurrentPass<double> vectors(one_hot, backend, layout);
  RecurrentPass<double> picked(
      gates, backend, layout,
      PassShape{layout.rows(), layout.steps(), layout.batch(), true, distinct});
  fill_inputs(vectors);
  fill_inputs(picked);
  picked.x_index = index_of(layout.rows());
  std::fill(vectors.x.begin(), vectors.x.end(), 0.0);
  for (std::int64_t n = 0; n < layout.rows(); ++n)
    vectors.x[n * distinct + picked.x_index[n]] = 1.0;

  // The same weights, but that those of the first layer's input become x, transposed.
  const std::int64_t columns = gates.input_size;
  picked.x.assign(distinct * columns * gates.directions(), 0.0);
  const auto for_each_entry = [&](const ParameterView& weight_ih, int direction, auto use) {
    for (std::int64_t v = 0; v < distinct; ++v) {
      for (std::int64_t j = 0; j < columns; ++j) {
        use(weight_ih.offset + j * distinct + v, (direction * distinct + v) * columns + j);
      }
    }
  };
  const std::vector<ParameterView> of_vectors = recurrent_parameters(one_hot);
  std::vector<ParameterView> inputs_alone;
  for (const ParameterView& view : of_vectors) {
    if (view.name.starts_with("weight_ih_l0")) inputs_alone.push_back(view);
  }
  for (int d = 0; d < gates.directions(); ++d) {
    for_each_entry(inputs_alone[d], d, [&](std::int64_t from, std::int64_t to) {
      picked.x[to] = vectors.parameters[from];
    });
  }
  const std::vector<ParameterView> of_gates = recurrent_parameters(gates);
  const auto for_each_shared_view = [&](auto use) {
    for (const ParameterView& view : of_gates) {
      for (const ParameterView& twin : of_vectors) {
        if (twin.name == view.name) use(twin, view);
      }
    }
  };
  for_each_shared_view([&](const ParameterView& from, const ParameterView& to) {
    std::copy_n(vectors.parameters.begin() + from.offset, from.size(),
                picked.parameters.begin() + to.offset);
  });

  for (RecurrentPass<double>* pass : {&vectors, &picked}) {
    pass->forward();
    pass->backward();
  }
  expect_near(picked.y, vectors.y, "y");
  expect_near(picked.h_n, vectors.h_n, "h_n");
  expect_near(picked.dh0, vectors.dh0, "dh0");
  for_each_shared_view([&](const ParameterView& from, const ParameterView& to) {
    const auto part = [](const std::vector<double>& all, const ParameterView& view) {
      return std::vector<double>(all.begin() + view.offset,
                                 all.begin() + view.offset + view.size());
    };
    expect_near(part(picked.d_parameters, to), part(vectors.d_parameters, from), to.name.c_str());
  });
  std::vector<double> dx(picked.x.size());
  for (int d = 0; d < gates.directions(); ++d) {
    for_each_entry(inputs_alone[d], d, [&](std::int64_t from, std::int64_t to) {
      dx[to] = vectors.d_parameters[from];
    });
  }
  expect_near(picked.dx, dx, "dx");
}

std::string test_name(const ::testing::TestParamInfo<SharedInputTest::ParamType>& test) {
  const auto& [cell, bidirectional, backend] = test.param;
  return std::string(sluice::name_of(cell)) + (bidirectional ? "_d2_" : "_d1_") + name_of(backend);
}

INSTANTIATE_TEST_SUITE_P(All, SharedInputTest,
                         ::testing::Combine(::testing::ValuesIn(all_cells), ::testing::Bool(),
                                            ::testing::ValuesIn(backends)),
                         test_name);

TEST(SharedInputArguments, AreChecked) {
  RecurrentConfig config = config_of(Cell::lstm, false);
  const SequenceLayout layout({2, 1});
  const PassShape shape{layout.rows(), layout.steps(), layout.batch(), true, distinct};
  const auto message_of = [&](bool with_index) {
    RecurrentPass<double> pass(config, {DeviceKind::cpu, Algorithm::stepwise}, layout, shape);
    fill_inputs(pass);
    if (with_index) pass.x_index = index_of(layout.rows());
    try {
      pass.forward();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message_of(true), "");
  config.gate_input = true;
  EXPECT_NE(message_of(false).find("gate_input"), std::string::npos) << message_of(false);
  config.gate_input = false;
  config.input_dropout = 0.5;
  EXPECT_NE(message_of(true).find("input_dropout"), std::string::npos) << message_of(true);
  EXPECT_EQ(message_of(false), "");
}

}  // namespace
}  // namespace sluice::test
