// How recurrent layers behave over time and over a batch; the numbers themselves are checked in
// recurrent_golden_test.cpp and recurrent_gradient_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"
#include "tests/sanitized.h"

namespace sluice::test {
namespace {

using Lengths = std::vector<std::int32_t>;

RecurrentConfig make_config(Cell cell, std::int64_t input, std::int64_t hidden, int layers = 1,
                            bool bidirectional = false) {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = input;
  config.hidden_size = hidden;
  config.num_layers = layers;
  config.bidirectional = bidirectional;
  return config;
}

/// Rows of features of caller's row `b` in packed data, step by step.
std::vector<float> row_of(const SequenceLayout& layout, const std::vector<float>& packed_data,
                          std::int32_t b, std::int64_t features) {
  std::vector<float> row;
  for (std::int32_t t = 0; t < layout.steps(); ++t) {
    for (std::int32_t r = 0; r < layout.offsets()[t + 1] - layout.offsets()[t]; ++r) {
      if (layout.order()[r] != b) continue;
      const auto from = packed_data.begin() + (std::int64_t{layout.offsets()[t]} + r) * features;
      row.insert(row.end(), from, from + features);
    }
  }
  return row;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& expected,
                 float tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], tolerance) << "at " << i;
  }
}

// Wide enough for threads to share a row's units on the CPU, and not a multiple of their share.
TEST(RecurrentThreads, SameBitsWhereThreadsShareUnits) {
  for (const Cell cell : all_cells) {
    if (kSanitized && cell != Cell::lstm && cell != Cell::gru) continue;
    for (const Lengths& lengths : {Lengths{4, 2, 3}, Lengths{1, 3, 3, 2, 3, 1, 1, 2, 3, 3}}) {
      RecurrentConfig config = make_config(cell, 5, lengths.size() == 3 ? 390 : 650, 1, true);
      turn_on_options(config, 0.2);
      std::vector<std::vector<float>> first;
      for (const int threads : kSanitized ? std::vector{1, 3} : std::vector{1, 2, 3, 4}) {
        RecurrentPass<float> pass(config, {DeviceKind::cpu, Algorithm::row_blocks},
                                  SequenceLayout(lengths), true, threads);
        fill_inputs(pass);
        pass.forward();
        pass.backward();
        const std::vector<std::vector<float>> results = {
            pass.y, pass.h_n, pass.c_n, pass.dx, pass.dh0, pass.dc0, pass.d_parameters};
        if (first.empty()) first = results;
        EXPECT_TRUE(results == first) << threads << " threads, hidden " << config.hidden_size;
      }
    }
  }
}

class RecurrentBehaviour : public ::testing::TestWithParam<std::tuple<Cell, Backend>> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(backend(), cell()); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
  static Cell cell() { return std::get<0>(GetParam()); }
  static Backend backend() { return std::get<1>(GetParam()); }
};

// h_n of the forward direction is y of a row's last step, of the reverse one y of step 0.
TEST_P(RecurrentBehaviour, FinalStatesAreThoseOfEachRowsOwnLastStep) {
  const SequenceLayout layout(Lengths{2, 6, 1, 6, 3});
  const std::int64_t hidden = 5;
  RecurrentPass<float> pass(make_config(cell(), 4, hidden, 2, true), backend(), layout);
  fill_inputs(pass);
  pass.forward();
  const Lengths lengths = {2, 6, 1, 6, 3};
  for (std::int32_t b = 0; b < layout.batch(); ++b) {
    const std::vector<float> y = row_of(layout, pass.y, b, 2 * hidden);
    ASSERT_EQ(y.size(), static_cast<std::size_t>(lengths[b] * 2 * hidden));
    for (std::int64_t unit = 0; unit < hidden; ++unit) {
      const auto state = [&](int direction) {  // of the second layer
        return pass.h_n[((2 + direction) * layout.batch() + b) * hidden + unit];
      };
      EXPECT_EQ(state(0), y[(lengths[b] - 1) * 2 * hidden + unit]) << "row " << b;
      EXPECT_EQ(state(1), y[hidden + unit]) << "row " << b;
    }
  }
}

TEST_P(RecurrentBehaviour, RowDoesNotDependOnItsBatch) {
  const Lengths lengths = {3, 7, 1, 5, 7, 2, 6};
  const SequenceLayout together(lengths);
  const RecurrentConfig config = make_config(cell(), 6, 9, 2, true);
  RecurrentPass<float> all(config, backend(), together);
  fill_inputs(all);
  all.forward();
  for (std::int32_t b = 0; b < together.batch(); ++b) {
    RecurrentPass<float> alone(config, backend(), SequenceLayout(Lengths{lengths[b]}));
    alone.parameters = all.parameters;
    alone.x = row_of(together, all.x, b, config.input_size);
    const auto state_of_row = [&](const std::vector<float>& states) {
      std::vector<float> row;
      for (std::int64_t l = 0; l < std::ssize(states) / (config.hidden_size * together.batch());
           ++l) {
        const auto from = states.begin() + (l * together.batch() + b) * config.hidden_size;
        row.insert(row.end(), from, from + config.hidden_size);
      }
      return row;
    };
    alone.h0 = state_of_row(all.h0);
    alone.c0 = state_of_row(all.c0);
    alone.forward();
    expect_near(alone.y, row_of(together, all.y, b, config.output_size()), 2e-6f);
    expect_near(alone.h_n, state_of_row(all.h_n), 2e-6f);
    expect_near(alone.c_n, state_of_row(all.c_n), 4e-6f);
  }
}

TEST_P(RecurrentBehaviour, NotANumberInOneRowStaysInThatRow) {
  const SequenceLayout layout(Lengths{4, 2, 5, 5, 3});
  RecurrentPass<float> clean(make_config(cell(), 3, 8), backend(), layout);
  fill_inputs(clean);
  clean.forward();
  clean.backward();
  RecurrentPass<float> dirty(make_config(cell(), 3, 8), backend(), layout);
  fill_inputs(dirty);
  std::vector<float> x = padded(layout, dirty.x, 3);
  x[(0 * layout.batch() + 2) * 3 + 1] = std::numeric_limits<float>::quiet_NaN();
  dirty.x = packed(layout, x, 3);
  dirty.want_d_parameters = false;  // a sum over all rows
  dirty.forward();
  dirty.backward();
  for (std::int32_t b = 0; b < layout.batch(); ++b) {
    if (b == 2) {
      EXPECT_TRUE(std::isnan(row_of(layout, dirty.y, b, 8)[0]));
      continue;
    }
    EXPECT_EQ(row_of(layout, dirty.y, b, 8), row_of(layout, clean.y, b, 8)) << "row " << b;
    EXPECT_EQ(row_of(layout, dirty.dx, b, 3), row_of(layout, clean.dx, b, 3)) << "row " << b;
  }
}

TEST_P(RecurrentBehaviour, SameBitsWithAnyNumberOfThreads) {
  Lengths ragged;
  for (std::int32_t b = 0; b < 37; ++b) ragged.push_back(1 + (b * 7) % 13);
  for (const SequenceLayout& layout : {SequenceLayout(ragged), SequenceLayout::equal(9, 64)}) {
    if (kSanitized && layout.batch() == 64) continue;
    RecurrentConfig config = make_config(cell(), 24, 40, 2, true);
    turn_on_options(config, 0.2);
    std::vector<std::vector<float>> first;
    for (const int threads : kSanitized ? std::vector{1, 3} : std::vector{1, 2, 3, 1}) {
      RecurrentPass<float> pass(config, backend(), layout, true, threads);
      fill_inputs(pass);
      pass.forward();
      pass.backward();
      const std::vector<std::vector<float>> results = {
          pass.y, pass.h_n, pass.c_n, pass.dx, pass.dh0, pass.dc0, pass.d_parameters};
      if (first.empty()) first = results;
      EXPECT_TRUE(results == first) << threads << " threads";
    }
  }
}

TEST_P(RecurrentBehaviour, BuffersForALargerPassServeASmallerOne) {
  const SequenceLayout layout(Lengths{2, 4, 1});
  RecurrentPass<float> exact(make_config(cell(), 3, 6, 2, true), backend(), layout);
  RecurrentPass<float> roomy(make_config(cell(), 3, 6, 2, true), backend(), layout,
                             PassShape{5 * 7, 7, 5, true});
  for (RecurrentPass<float>* pass : {&exact, &roomy}) {
    fill_inputs(*pass);
    pass->forward();
    pass->backward();
  }
  EXPECT_EQ(exact.y, roomy.y);
  EXPECT_EQ(exact.dx, roomy.dx);
  EXPECT_EQ(exact.d_parameters, roomy.d_parameters);
}

TEST_P(RecurrentBehaviour, InferenceGivesTheOutputsOfTraining) {
  const SequenceLayout layout(Lengths{2, 9, 1, 4, 4});
  const RecurrentConfig config = make_config(cell(), 7, 12, 2, true);
  RecurrentPass<float> training(config, backend(), layout, true);
  RecurrentPass<float> inference(config, backend(), layout, false);
  EXPECT_EQ(inference.plan().reserve_bytes({layout.rows(), layout.steps(), layout.batch(), false}),
            0u);
  for (RecurrentPass<float>* pass : {&training, &inference}) {
    fill_inputs(*pass);
    pass->forward();
  }
  EXPECT_EQ(training.y, inference.y);
  EXPECT_EQ(training.h_n, inference.h_n);
  EXPECT_EQ(training.c_n, inference.c_n);
}

// Streaming: the final states of one stretch are the initial ones of the next.
TEST_P(RecurrentBehaviour, LongSequenceEqualsItsPartsInARow) {
  const std::int32_t part = kSanitized ? 100 : 1000, steps = 3 * part;
  const RecurrentConfig config = make_config(cell(), 2, 6, 2);
  RecurrentPass<float> whole(config, backend(), SequenceLayout::equal(steps, 1), false);
  fill_inputs(whole);
  whole.forward();
  std::vector<float> h = whole.h0, c = whole.c0, y;
  for (std::int32_t start = 0; start < steps; start += part) {
    RecurrentPass<float> piece(config, backend(), SequenceLayout::equal(part, 1), false);
    piece.parameters = whole.parameters;
    piece.x.assign(whole.x.begin() + start * 2, whole.x.begin() + (start + part) * 2);
    piece.h0 = h;
    piece.c0 = c;
    piece.forward();
    h = piece.h_n;
    c = piece.c_n;
    y.insert(y.end(), piece.y.begin(), piece.y.end());
  }
  expect_near(y, whole.y, 1e-4f);
  for (const float value : whole.y) ASSERT_TRUE(std::isfinite(value));
}

TEST_P(RecurrentBehaviour, OutputsNotAskedForChangeNothing) {
  const SequenceLayout layout(Lengths{2, 5, 1, 5});
  RecurrentPass<float> full(make_config(cell(), 3, 6, 2, true), backend(), layout);
  fill_inputs(full);
  full.forward();
  full.backward();
  for (int skipped = 0; skipped < 4; ++skipped) {
    RecurrentPass<float> pass(make_config(cell(), 3, 6, 2, true), backend(), layout);
    pass.want_final_states = skipped != 0;
    pass.want_dx = skipped != 1;
    pass.want_d_states = skipped != 2;
    pass.want_d_parameters = skipped != 3;
    fill_inputs(pass);
    pass.forward();
    pass.backward();
    EXPECT_EQ(pass.y, full.y);
    if (pass.want_dx) {
      EXPECT_EQ(pass.dx, full.dx) << skipped;
    }
    if (pass.want_d_states) {
      EXPECT_EQ(pass.dh0, full.dh0) << skipped;
    }
    if (pass.want_d_parameters) {
      EXPECT_EQ(pass.d_parameters, full.d_parameters) << skipped;
    }
  }
}

TEST_P(RecurrentBehaviour, ANullGradientMeansZeros) {
  const SequenceLayout layout(Lengths{2, 5, 1});
  const RecurrentConfig config = make_config(cell(), 3, 6, 2, true);
  for (int nulled = 0; nulled < 3; ++nulled) {
    RecurrentPass<float> zeros(config, backend(), layout), null(config, backend(), layout);
    for (RecurrentPass<float>* pass : {&zeros, &null}) {
      fill_inputs(*pass);
      std::vector<float>& gradient = nulled == 0 ? pass->dy : nulled == 1 ? pass->dh_n : pass->dc_n;
      gradient.assign(pass == &zeros ? gradient.size() : 0, 0.0f);
      pass->forward();
      pass->backward();
    }
    EXPECT_EQ(zeros.dx, null.dx) << nulled;
    EXPECT_EQ(zeros.dh0, null.dh0) << nulled;
    EXPECT_EQ(zeros.d_parameters, null.d_parameters) << nulled;
  }
}

TEST_P(RecurrentBehaviour, ANullInitialStateMeansZeros) {
  const SequenceLayout layout(Lengths{3, 1, 4});
  const RecurrentConfig config = make_config(cell(), 3, 6, 2, true);
  RecurrentPass<float> zeros(config, backend(), layout), null(config, backend(), layout);
  for (RecurrentPass<float>* pass : {&zeros, &null}) {
    fill_inputs(*pass);
    pass->h0.assign(pass == &zeros ? pass->h0.size() : 0, 0.0f);
    pass->c0.assign(pass == &zeros ? pass->c0.size() : 0, 0.0f);
    pass->forward();
    pass->backward();
  }
  EXPECT_EQ(zeros.y, null.y);
  EXPECT_EQ(zeros.d_parameters, null.d_parameters);
  EXPECT_EQ(zeros.dh0, null.dh0) << "wanted although h0 is null";
  EXPECT_EQ(zeros.dc0, null.dc0);
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentBehaviour,
                         ::testing::Combine(::testing::ValuesIn(all_cells),
                                            ::testing::ValuesIn(backends)),
                         [](const auto& test) {
                           return std::string(sluice::name_of(std::get<0>(test.param))) + "_" +
                                  name_of(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace sluice::test
