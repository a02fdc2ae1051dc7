#include "bench/layers/layer_problem.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/layers/output_comparison.h"
#include "bench/layers/random_numbers.h"

namespace sluice::bench {
namespace {

LayerProblem problem() {
  LayerProblem made;
  made.config = {.cell = Cell::gru, .input_size = 5, .hidden_size = 7};
  made.steps = 3;
  made.batch = 2;
  return made;
}

TEST(LayerProblem, CountsTheProducts) {
  LayerProblem made = problem();
  EXPECT_EQ(made.flops(), 2 * 6 * 3 * 7 * (5 + 7));
  EXPECT_EQ(made.input_product_flops(), 2 * 6 * 3 * 7 * 5);
  made.training = true;
  EXPECT_EQ(made.flops(), 3 * 2 * 6 * 3 * 7 * (5 + 7));
  made.config.bidirectional = true;
  made.config.num_layers = 2;
  EXPECT_EQ(made.flops(), 3 * 2 * (2 * 6 * 3 * 7 * (5 + 7) + 2 * 6 * 3 * 7 * (14 + 7)));
  made.lengths = {3, 1};
  EXPECT_EQ(made.rows(), 4);
  EXPECT_EQ(made.name(), "gru/T3/B2/I5/H7/float32/L2/D2/ragged");
}

TEST(RandomNumbers, AreThoseOfThePythonScript) {  // pytorch_peer.py's random_words("inputs", 0, 3)
  EXPECT_EQ(random_word(Stream::inputs, 0), 1652502u);
  EXPECT_EQ(random_word(Stream::inputs, 2), 4165976u);
  EXPECT_EQ(random_word(Stream::signs, 1), 12254069u);
  EXPECT_GE(random_number(Stream::inputs, 5), -1.0f);
  EXPECT_LT(random_number(Stream::inputs, 5), 1.0f);
}

TEST(OutputComparison, FindsTheLargestDifference) {
  const std::vector<NamedOutput> a{{"y", {3, 4}}, {"dx", {1, 0}}};
  const std::vector<NamedOutput> b{{"y", {3, 4.5}}, {"dx", {1, 0.01f}}};
  const Difference found = largest_difference(b, a);
  EXPECT_EQ(found.output, "y");
  EXPECT_NEAR(found.relative, 0.1, 1e-6);
  EXPECT_THROW(largest_difference({a[0]}, a), Refusal);
  EXPECT_THROW(largest_difference({a[1], a[0]}, a), Refusal);
  const std::vector<NamedOutput> broken{{"y", {3, NAN}}, {"dx", {1, 0}}};
  EXPECT_GT(largest_difference(broken, a).relative, 1e30);
}

TEST(OutputComparison, DigestTellsOutputsApart) {
  const auto first = digest({{"y", {3, 4}}});
  EXPECT_EQ(first["y"]["norm"], 5.0);
  EXPECT_EQ(first["y"]["projections"].size(), 8u);
  EXPECT_NE(first, digest({{"y", {4, 3}}}));
}

}  // namespace
}  // namespace sluice::bench
