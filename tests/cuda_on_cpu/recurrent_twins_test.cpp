// Whole passes of a recurrent layer on the CUDA kernels and on their CPU twins, over sizes that
// fill blocks and warps badly: outputs, final states and every gradient must agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

using Shape = std::tuple<Cell, int, int>;  // B, H

class RecurrentTwins : public testing::TestWithParam<Shape> {};

/// Rows of every length from 1 to `steps`, in no order.
std::vector<std::int32_t> ragged(int batch, int steps) {
  std::vector<std::int32_t> lengths;
  for (int row = 0; row < batch; ++row) lengths.push_back(1 + (row * 5 + steps - 1) % steps);
  return lengths;
}

void expect_close(const char* name, const std::vector<float>& cuda, const std::vector<float>& cpu) {
  ASSERT_EQ(cuda.size(), cpu.size()) << name;
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    const float allowed = 2e-5f * std::max(1.0f, std::abs(cpu[i]));
    ASSERT_NEAR(cuda[i], cpu[i], allowed) << name << " at " << i;
  }
}

TEST_P(RecurrentTwins, Agree) {
  const auto [cell, batch, hidden] = GetParam();
  for (const int steps : {1, 2, 7}) {
    RecurrentConfig config;
    config.cell = cell;
    config.input_size = 5;
    config.hidden_size = hidden;
    config.recurrent_dropout = steps == 2 ? 0.3 : 0.0;
    const SequenceLayout layout(ragged(batch, steps));
    RecurrentPass<float> cpu(config, {DeviceKind::cpu, Algorithm::stepwise}, layout);
    RecurrentPass<float> cuda(config, {DeviceKind::cuda, Algorithm::stepwise}, layout);
    for (RecurrentPass<float>* pass : {&cpu, &cuda}) {
      fill_inputs(*pass);
      for (float& weight : pass->parameters) weight /= std::sqrt(static_cast<float>(hidden));
      pass->forward();
      pass->backward();
    }
    SCOPED_TRACE(std::to_string(steps) + " steps");
    expect_close("y", cuda.y, cpu.y);
    expect_close("h_n", cuda.h_n, cpu.h_n);
    expect_close("c_n", cuda.c_n, cpu.c_n);
    expect_close("dx", cuda.dx, cpu.dx);
    expect_close("dh0", cuda.dh0, cpu.dh0);
    expect_close("dc0", cuda.dc0, cpu.dc0);
    expect_close("d_parameters", cuda.d_parameters, cpu.d_parameters);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RecurrentTwins,
                         testing::Combine(testing::ValuesIn(all_cells), testing::Values(1, 3, 65),
                                          testing::Values(1, 17, 34, 128, 160)),
                         [](const testing::TestParamInfo<Shape>& shape) {
                           return std::string(sluice::name_of(std::get<0>(shape.param))) + "_b" +
                                  std::to_string(std::get<1>(shape.param)) + "_h" +
                                  std::to_string(std::get<2>(shape.param));
                         });

}  // namespace
}  // namespace sluice::test
