#include "kernels/cells/combined_bias.h"

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class CombinedBias : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(CombinedBias);

std::vector<float> combine(const Queue& queue, Cell cell) {
  std::vector<float> ih, hh;
  for (int i = 0; i < 2 * gate_count(cell); ++i) {
    ih.push_back(static_cast<float>(i + 1));
    hh.push_back(static_cast<float>(10 * (i + 1)));
  }
  const GuardedBuffer bias_ih(queue, ih), bias_hh(queue, hh),
      out(queue, 2 * slot_count(cell) * sizeof(float));
  combine_biases(queue, {.cell = cell,
                         .hidden_size = 2,
                         .bias_ih = bias_ih.data(),
                         .bias_hh = bias_hh.data(),
                         .out = out.data()});
  EXPECT_TRUE(out.guards_intact());
  return out.get<float>();
}

TEST_P(CombinedBias, IsWhatTheCellWants) {
  using Numbers = std::vector<float>;
  EXPECT_EQ(combine(queue(), Cell::rnn_tanh), (Numbers{11, 22}));
  EXPECT_EQ(combine(queue(), Cell::rnn_relu), (Numbers{11, 22}));
  EXPECT_EQ(combine(queue(), Cell::lstm), (Numbers{11, 22, 33, 44, 55, 66, 77, 88}));
  EXPECT_EQ(combine(queue(), Cell::gru), (Numbers{11, 22, 33, 44, 5, 6, 50, 60}));
  EXPECT_EQ(combine(queue(), Cell::gru_reset_before), (Numbers{11, 22, 33, 44, 55, 66, 0, 0}));
}

TEST(CombinedBiasArguments, AreChecked) {
  float x[4] = {};
  expect_usage_error([&] { combine_biases({}, {.hidden_size = 1, .bias_ih = x}); }, "bias_hh");
}

}  // namespace
}  // namespace sluice::test
