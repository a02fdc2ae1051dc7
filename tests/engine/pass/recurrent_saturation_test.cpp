// Layers whose gates are all saturated: no gradient passes, not a little one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/device/instruction_set.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

// What the biases put before each gate. LSTM i, f, g, o, coupled i, g, o: c = g, nothing of c0. GRU
// r, z, n: h = n.
std::vector<float> pushes(Cell cell, float far) {
  switch (cell) {
    case Cell::lstm:
    case Cell::lstm_peephole: return {far, -far, far, far};
    case Cell::lstm_coupled: return {far, far, far};
    case Cell::gru:
    case Cell::gru_reset_before: return {far, -far, -far};
    default: return {far};
  }
}

class SaturatedLayers : public ::testing::TestWithParam<std::tuple<Cell, Backend>> {
 protected:
  void SetUp() override {
    const auto& [cell, backend] = GetParam();
    if (const std::string why = why_unavailable(backend, cell); !why.empty()) GTEST_SKIP() << why;
  }

  // A pass whose gates lie about `far` from the middle, in two layers.
  std::unique_ptr<RecurrentPass<float>> run(float far) const {
    const auto& [cell, backend] = GetParam();
    RecurrentConfig config;
    config.cell = cell;
    config.input_size = 5;
    config.hidden_size = 21;
    config.num_layers = 2;
    auto pass = std::make_unique<RecurrentPass<float>>(config, backend, SequenceLayout({4, 6, 1}));
    fill_inputs(*pass);
    for (const ParameterView& view : recurrent_parameters(config)) {
      if (view.name.rfind("bias_ih", 0) != 0) continue;
      const std::vector<float> push = pushes(cell, far);
      for (std::int64_t i = 0; i < view.size(); ++i) {
        pass->parameters[static_cast<std::size_t>(view.offset + i)] =
            push[static_cast<std::size_t>(i / config.hidden_size)];
      }
    }
    pass->forward();
    pass->backward();
    return pass;
  }
};

std::size_t count_of_non_zeros(const std::vector<float>& numbers) {
  std::size_t count = 0;
  for (const float x : numbers) count += x != 0.0f;
  return count;
}

TEST_P(SaturatedLayers, HaveNoGradientAtAll) {
  // A tanh is saturated from 9.02 on, a sigmoid from 17.4 and, at its lower end, from -104; the
  // products move the gates by some units.
  for (const float far : {std::get<0>(GetParam()) == Cell::rnn_tanh ? 30.0f : 200.0f, 1000.0f}) {
    SCOPED_TRACE(far);
    const auto pass = run(far);
    EXPECT_EQ(count_of_non_zeros(pass->dx), 0u);
    EXPECT_EQ(count_of_non_zeros(pass->dh0), 0u);
    EXPECT_EQ(count_of_non_zeros(pass->dc0), 0u);
    EXPECT_EQ(count_of_non_zeros(pass->d_parameters), 0u);
  }
  EXPECT_GT(count_of_non_zeros(run(1.0f)->d_parameters), 1000u) << "the test shows nothing";
}

INSTANTIATE_TEST_SUITE_P(All, SaturatedLayers,
                         ::testing::Combine(::testing::Values(Cell::rnn_tanh, Cell::lstm, Cell::gru,
                                                              Cell::gru_reset_before,
                                                              Cell::lstm_peephole,
                                                              Cell::lstm_coupled),
                                            ::testing::ValuesIn(backends)),
                         [](const auto& test) {
                           return std::string(sluice::name_of(std::get<0>(test.param))) + "_" +
                                  name_of(std::get<1>(test.param));
                         });

// The choice is made once in a process, so each of the others gets a process of its own.
TEST(SaturatedLayersInstructionSet, LesserOnesPassToo) {
  if (std::getenv("SLUICE_INSTRUCTION_SET") != nullptr) GTEST_SKIP() << "one is chosen already";
  for (const InstructionSet set : {InstructionSet::baseline, InstructionSet::avx2}) {
    if (!is_available(set) || set == instruction_set()) continue;
    const std::string command =
        "SLUICE_INSTRUCTION_SET=" + std::string(sluice::name_of(set)) +
        " /proc/$PPID/exe --gtest_brief=1 --gtest_filter='All/SaturatedLayers.*cpu*'";
    EXPECT_EQ(std::system(command.c_str()), 0) << "with " << sluice::name_of(set);
  }
}

}  // namespace
}  // namespace sluice::test
