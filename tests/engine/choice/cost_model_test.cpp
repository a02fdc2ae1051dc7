// The limit beside a calculation by hand, and beside the project's table of floors for an H200.
#include "engine/choice/cost_model.h"

#include <gtest/gtest.h>

#include "engine/choice/algorithm_choice.h"

namespace sluice {
namespace {

struct Row {
  Cell cell;
  std::int32_t steps, batch;
  std::int64_t input, hidden;
};

RecurrentConfig config_of(const Row& row, DataType type = DataType::bfloat16,
                          MatrixMath math = MatrixMath::ieee) {
  RecurrentConfig config;
  config.cell = row.cell;
  config.data_type = type;
  config.math = math;
  config.input_size = row.input;
  config.hidden_size = row.hidden;
  return config;
}

PassShape shape_of(const Row& row) {
  return {std::int64_t{row.steps} * row.batch, row.steps, row.batch, true};
}

TEST(CostModelLimit, IsWhatAHandComputes) {
  // 16 multiprocessors, 8 groups of 8 rows: 0.15 us of exchange, 0.05 pointwise, a product of
  // 2 * 2048 * 512 / 16 * 8 = 1.049 MFLOP at 989.4 / 132 TFLOP/s in 0.13989 us (the weights
  // streamed, 0, take less), 8 * 512 numbers of 2 bytes at 64 a clock of 1.83 GHz in 0.06995 us:
  // 0.40984 us. 512 of them, and 68.72 GFLOP of input products in 69.46 us; backward twice that,
  // and as much for the gradient of the recurrent weights.
  const Row row{Cell::lstm, 512, 64, 512, 512};
  const PassTime bfloat16 = limit(config_of(row), shape_of(row), h200_rates());
  EXPECT_NEAR(bfloat16.forward, 279.3e-6, 0.1e-6);
  EXPECT_NEAR(bfloat16.backward, 418.2e-6, 0.1e-6);
  // TF32: 0.27978 us of product, less than the 262144 - 131072 bytes streamed at 128 a clock,
  // 0.55956; twice the exchange, 0.13989: 0.89945 us. Input products 138.9 us.
  const PassTime tf32 =
      limit(config_of(row, DataType::float32, MatrixMath::tf32), shape_of(row), h200_rates());
  EXPECT_NEAR(tf32.forward, 599.4e-6, 0.1e-6);
  EXPECT_NEAR(tf32.backward, 877.3e-6, 0.1e-6);
  // One multiprocessor a group of two rows, multiplied as 8: 0.06 + 0.05 + 0.03497 us a step, 400
  // steps; 3.355 GFLOP of input products take less than 78.6 MB of x and gates, 16.4 us.
  const Row imdb{Cell::lstm, 400, 256, 128, 64};
  EXPECT_NEAR(limit(config_of(imdb), shape_of(imdb), h200_rates()).forward, 74.4e-6, 0.1e-6);
}

// The table was made with other divisions of the grid, hence the factor.
TEST(CostModelLimit, FloorsOfTheTable) {
  constexpr double kFactor = 1.35;
  const struct {
    Row row;
    double forward, backward;  // ms
  } table[] = {{{Cell::lstm, 512, 64, 512, 512}, 0.22, 0.40},
               {{Cell::lstm, 1024, 16, 768, 768}, 0.71, 1.06},
               {{Cell::lstm, 400, 256, 128, 64}, 0.067, 0.10}};
  for (const auto& [row, forward, backward] : table) {
    const PassTime least = limit(config_of(row), shape_of(row), h200_rates());
    EXPECT_GT(least.forward * 1e3, forward / kFactor) << row.hidden;
    EXPECT_LT(least.forward * 1e3, forward * kFactor) << row.hidden;
    EXPECT_GT(least.backward * 1e3, backward / kFactor) << row.hidden;
    EXPECT_LT(least.backward * 1e3, backward * kFactor) << row.hidden;
  }
}

// Small layers hide behind one another, large ones share the GPU's arithmetic; with both directions
// each layer waits for the whole of the one before it.
TEST(CostModelLimit, CountsOnLayersThatOverlap) {
  const auto of_layers = [](const Row& row, int layers, bool bidirectional) {
    RecurrentConfig config = config_of(row);
    config.num_layers = layers;
    config.bidirectional = bidirectional;
    return limit(config, shape_of(row), h200_rates()).forward;
  };
  const Row small{Cell::lstm, 100, 8, 64, 64}, large{Cell::lstm, 100, 4096, 4096, 4096};
  EXPECT_NEAR(of_layers(small, 4, false), of_layers(small, 1, false), 1e-12);
  EXPECT_GT(of_layers(large, 4, false), 3.9 * of_layers(large, 1, false));
  EXPECT_GT(of_layers(small, 4, true), 3.9 * of_layers(small, 1, true));
}

TEST(CostModelStepwise, HasNoProductWhereNoMatrixRecurs) {
  const Row row{Cell::rnn_relu, 100, 16, 512, 512}, diagonal{Cell::indrnn, 100, 16, 512, 512};
  const auto cost = [](const Row& of) {
    return stepwise_cost(config_of(of), shape_of(of), h200_rates());
  };
  EXPECT_LT(cost(diagonal).predicted.total(), 0.6 * cost(row).predicted.total());
  EXPECT_LT(cost(diagonal).floor.total(), cost(row).floor.total());
}

TEST(CostModelLimit, GrowsWithTheWork) {
  const Row row{Cell::lstm, 100, 16, 512, 512}, longer{Cell::lstm, 200, 16, 512, 512};
  const PassTime one = limit(config_of(row), shape_of(row), h200_rates());
  const PassTime two = limit(config_of(longer), shape_of(longer), h200_rates());
  EXPECT_NEAR(two.forward, 2 * one.forward, 1e-9);
  EXPECT_NEAR(two.backward, 2 * one.backward, 1e-9);
  EXPECT_GT(limit(config_of(row, DataType::float32), shape_of(row), h200_rates()).total(),
            one.total());
  PassShape ragged = shape_of(row);
  ragged.rows /= 2;
  EXPECT_LT(limit(config_of(row), ragged, h200_rates()).total(), one.total());
  EXPECT_GT(limit(config_of(row), ragged, h200_rates()).total(), one.total() / 2);
}

}  // namespace
}  // namespace sluice
