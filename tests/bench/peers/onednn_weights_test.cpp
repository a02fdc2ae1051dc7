#include "bench/peers/onednn_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace sluice::bench {
namespace {

std::vector<float> counted(const RecurrentConfig& config) {
  std::vector<float> parameters(
      static_cast<std::size_t>(parameter_count(recurrent_parameters(config))));
  std::iota(parameters.begin(), parameters.end(), 0.0f);
  return parameters;
}

TEST(OnednnWeights, GruGatesChangePlaces) {
  const RecurrentConfig config{.cell = Cell::gru, .input_size = 1, .hidden_size = 1};
  // W: r 0, z 1, n 2; R: 3, 4, 5; bW: 6, 7, 8; bR: 9, 10, 11.
  const OnednnWeights made = to_onednn(config, counted(config));
  EXPECT_EQ(made.layer, (std::vector<float>{1, 0, 2}));
  EXPECT_EQ(made.iter, (std::vector<float>{4, 3, 5}));
  EXPECT_EQ(made.bias, (std::vector<float>{7 + 10, 6 + 9, 8, 11}));
  const std::vector<float> back = from_onednn(config, {{1, 0, 2}, {4, 3, 5}, {17, 15, 8, 11}});
  EXPECT_EQ(back, (std::vector<float>{0, 1, 2, 3, 4, 5, 15, 17, 8, 15, 17, 11}));
}

TEST(OnednnWeights, LstmOfTwoLayersAndDirectionsComesBack) {
  const RecurrentConfig config{.cell = Cell::lstm,
                               .input_size = 6,
                               .hidden_size = 3,
                               .num_layers = 2,
                               .bidirectional = true};
  const std::vector<float> parameters = counted(config);
  const OnednnWeights made = to_onednn(config, parameters);
  const std::vector<float> back = from_onednn(config, made);
  for (const ParameterView& view : recurrent_parameters(config)) {
    if (view.shape.size() == 1) continue;  // a bias: its gradient is that of the sum
    const auto first = parameters.begin() + view.offset;
    EXPECT_TRUE(std::equal(first, first + view.size(), back.begin() + view.offset)) << view.name;
  }
}

}  // namespace
}  // namespace sluice::bench
