// Zoneout in passes: which units keep their states, by which draws. The numbers that follow are
// checked in recurrent_golden_test.cpp and recurrent_gradient_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

using Lengths = std::vector<std::int32_t>;
using Kept = std::vector<bool>;
constexpr std::int64_t units = 32, input = 3;
constexpr double rate = 0.25;

RecurrentConfig config_of(Cell cell, double zoneout_h, double zoneout_c = 0.0) {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = input;
  config.hidden_size = units;
  config.zoneout_h = zoneout_h;
  config.zoneout_c = zoneout_c;
  return config;
}

struct Draws {
  std::uint64_t seed = 5;
  std::uint32_t step = 1;
};

struct Results {
  SequenceLayout layout;
  std::vector<float> y, h0, c0, h_n, c_n;
};
Results forward(const RecurrentConfig& config, const Backend& backend, const Lengths& lengths,
                const Draws& draws = {}) {
  RecurrentPass<float> pass(config, backend, SequenceLayout(lengths));
  fill_inputs(pass);
  pass.seed = draws.seed;
  pass.step = {draws.step};
  pass.forward();
  return {pass.layout(), pass.y, pass.h0, pass.c0, pass.h_n, pass.c_n};
}

/// Where two runs of numbers are the same.
Kept same(const std::vector<float>& a, const std::vector<float>& b) {
  Kept all;
  for (std::size_t i = 0; i < a.size(); ++i) all.push_back(a[i] == b[i]);
  return all;
}

/// [T][B*H], in the caller's order: whether a unit kept its h of the step before.
std::vector<Kept> kept_h(const Backend& backend, const Lengths& lengths, const Draws& draws = {}) {
  const Results of = forward(config_of(Cell::rnn_tanh, rate), backend, lengths, draws);
  const std::vector<float> y = padded(of.layout, of.y, units);
  std::vector<float> before = of.h0;
  std::vector<Kept> steps;
  for (std::int32_t t = 0; t < of.layout.steps(); ++t) {
    const auto from = y.begin() + t * static_cast<std::int64_t>(before.size());
    const std::vector<float> now(from, from + static_cast<std::int64_t>(before.size()));
    steps.push_back(same(now, before));
    before = now;
  }
  return steps;
}

void expect_rate(const Kept& kept) {
  const auto count = static_cast<double>(kept.size());
  EXPECT_NEAR(static_cast<double>(std::count(kept.begin(), kept.end(), true)) / count, rate,
              4 * std::sqrt(rate * (1 - rate) / count));
}

Kept row_of(const Kept& kept, std::int64_t b) {
  return Kept(kept.begin() + b * units, kept.begin() + (b + 1) * units);
}

class ZoneoutPass : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(GetParam(), Cell::lstm); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

TEST_P(ZoneoutPass, UnitsAreDrawnAnewAtEachStepOfEachRow) {
  const std::vector<Kept> steps = kept_h(GetParam(), Lengths(16, 5));
  std::set<Kept> rows;
  for (const Kept& step : steps) {
    expect_rate(step);
    for (std::int64_t b = 0; b < 16; ++b) rows.insert(row_of(step, b));
  }
  EXPECT_EQ(rows.size(), 5u * 16);
}

TEST_P(ZoneoutPass, DrawsFollowSeedAndTrainingStep) {
  const Lengths lengths(16, 3);
  const auto base = kept_h(GetParam(), lengths);
  EXPECT_EQ(kept_h(GetParam(), lengths), base);
  EXPECT_NE(kept_h(GetParam(), lengths, {.seed = 6}), base);
  EXPECT_NE(kept_h(GetParam(), lengths, {.step = 2}), base);
}

TEST_P(ZoneoutPass, DrawsBelongToTheCallersRow) {
  const Lengths lengths = {1, 4, 2, 3};
  const auto equal = kept_h(GetParam(), {4, 4, 4, 4}), ragged = kept_h(GetParam(), lengths);
  for (std::int32_t b = 0; b < 4; ++b) {
    for (std::int32_t t = 0; t < lengths[static_cast<std::size_t>(b)]; ++t) {
      EXPECT_EQ(row_of(ragged[static_cast<std::size_t>(t)], b),
                row_of(equal[static_cast<std::size_t>(t)], b))
          << "row " << b << ", step " << t;
    }
  }
}

TEST_P(ZoneoutPass, LayersAndDirectionsDrawForThemselves) {
  RecurrentConfig config = config_of(Cell::rnn_tanh, rate);
  config.num_layers = 2;
  config.bidirectional = true;
  const Results of = forward(config, GetParam(), Lengths(16, 1));
  const Kept kept = same(of.h_n, of.h0);
  std::set<Kept> planes;
  for (int i = 0; i < 4; ++i) {
    const auto from = kept.begin() + i * 16 * units;
    planes.insert(Kept(from, from + 16 * units));
    expect_rate(Kept(from, from + 16 * units));
  }
  EXPECT_EQ(planes.size(), 4u);
}

// At one step: what c keeps changes no h, and the two are drawn apart.
TEST_P(ZoneoutPass, HIsMadeFromTheCOfTheCellsOwnEquations) {
  for (const Cell cell : all_cells) {
    if (!has_cell_state(cell) || !why_unavailable(GetParam(), cell).empty()) continue;
    SCOPED_TRACE(sluice::name_of(cell));
    const Lengths lengths(16, 1);
    const Results plain = forward(config_of(cell, 0.0), GetParam(), lengths);
    const Results of_c = forward(config_of(cell, 0.0, rate), GetParam(), lengths);
    const Results both = forward(config_of(cell, rate, rate), GetParam(), lengths);
    EXPECT_EQ(of_c.y, plain.y);
    const Kept c = same(of_c.c_n, of_c.c0), h = same(both.h_n, both.h0);
    expect_rate(c);
    expect_rate(h);
    EXPECT_NE(c, h);
    EXPECT_EQ(same(both.c_n, both.c0), c);
    for (std::size_t i = 0; i < c.size(); ++i) {
      EXPECT_EQ(both.c_n[i], c[i] ? both.c0[i] : plain.c_n[i]);
      EXPECT_EQ(both.h_n[i], h[i] ? both.h0[i] : plain.h_n[i]);
    }
  }
}

// Evaluation draws nothing.
TEST_P(ZoneoutPass, EvaluationMixesByTheRate) {
  const RecurrentConfig config = config_of(Cell::lstm, rate, 0.5);
  const SequenceLayout layout(Lengths(4, 1));
  RecurrentPass<float> plain(config_of(Cell::lstm, 0.0), GetParam(), layout);
  RecurrentPass<float> kept(config, GetParam(), layout),
      not_kept(config, GetParam(), layout, false);
  kept.drops = false;
  for (RecurrentPass<float>* pass : {&plain, &kept, &not_kept}) {
    fill_inputs(*pass);
    pass->seed = 9;
    pass->forward();
  }
  for (std::size_t i = 0; i < plain.h_n.size(); ++i) {
    EXPECT_NEAR(kept.h_n[i], rate * plain.h0[i] + (1 - rate) * plain.h_n[i], 1e-6);
    EXPECT_NEAR(kept.c_n[i], 0.5 * plain.c0[i] + 0.5 * plain.c_n[i], 1e-6);
  }
  EXPECT_EQ(not_kept.h_n, kept.h_n);
  EXPECT_EQ(not_kept.c_n, kept.c_n);
}

INSTANTIATE_TEST_SUITE_P(All, ZoneoutPass, ::testing::ValuesIn(backends),
                         [](const auto& test) { return name_of(test.param); });

// The two ways of the CPU, and chunks of steps, with every option: they add up in different orders
// and are otherwise the same.
class LoopsWithOptions : public ::testing::TestWithParam<std::tuple<Cell, bool>> {};

TEST_P(LoopsWithOptions, AgreeOnTheCpu) {
  const auto [cell, drops] = GetParam();
  RecurrentConfig config = config_of(cell, 0.0);
  config.data_type = DataType::float64;
  config.hidden_size = 21;
  config.num_layers = 2;
  config.bidirectional = true;
  turn_on_options(config, 0.3);
  const auto run = [&](const Backend& backend) {
    RecurrentPass<double> pass(config, backend, SequenceLayout(Lengths{3, 7, 1, 5, 7}));
    fill_inputs(pass);
    pass.seed = 3;
    pass.drops = drops;
    pass.forward();
    pass.backward();
    return std::vector<std::vector<double>>{pass.y,   pass.h_n, pass.c_n,         pass.dx,
                                            pass.dh0, pass.dc0, pass.d_parameters};
  };
  const auto stepwise = run({DeviceKind::cpu, Algorithm::stepwise});
  for (const Backend& backend : {Backend{DeviceKind::cpu, Algorithm::row_blocks},
                                 Backend{DeviceKind::cpu, Algorithm::row_blocks, 2},
                                 Backend{DeviceKind::cpu, Algorithm::stepwise, 3}}) {
    const auto other = run(backend);
    for (std::size_t k = 0; k < other.size(); ++k) {
      ASSERT_EQ(other[k].size(), stepwise[k].size());
      for (std::size_t i = 0; i < other[k].size(); ++i) {
        ASSERT_NEAR(other[k][i], stepwise[k][i], 1e-11)
            << name_of(backend) << ", " << k << ", " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LoopsWithOptions,
                         ::testing::Combine(::testing::ValuesIn(all_cells), ::testing::Bool()),
                         [](const auto& test) {
                           return std::string(sluice::name_of(std::get<0>(test.param))) +
                                  (std::get<1>(test.param) ? "_training" : "_evaluation");
                         });

}  // namespace
}  // namespace sluice::test
