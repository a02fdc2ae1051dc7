// Passes over denormal numbers: a queue without a pool gives the bits of one with a pool, and
// leaves the caller's floating-point mode alone.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace sluice::test {
namespace {

unsigned floating_point_mode() {
#if defined(__SSE2__)
  return _mm_getcsr();
#else
  return 0;
#endif
}

// Every third number becomes denormal in float32, every seventh is near the border.
void shrink(std::vector<float>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i % 3 == 0) numbers[i] *= 0x1p-130f;
    if (i % 7 == 0) numbers[i] *= 0x1p-125f;
  }
}

class DenormalPasses : public ::testing::TestWithParam<std::tuple<Cell, Algorithm>> {
 protected:
  std::unique_ptr<RecurrentPass<float>> run(int threads) const {
    RecurrentConfig config;
    config.cell = std::get<0>(GetParam());
    config.input_size = 9;
    config.hidden_size = 20;
    config.num_layers = 2;
    config.bidirectional = true;
    turn_on_options(config, 0.2);
    const SequenceLayout layout({5, 7, 2, 7, 1});
    auto pass = std::make_unique<RecurrentPass<float>>(
        config, Backend{DeviceKind::cpu, std::get<1>(GetParam()), 3}, layout, true, threads);
    fill_inputs(*pass);
    for (auto* numbers :
         {&pass->parameters, &pass->x, &pass->h0, &pass->c0, &pass->dy, &pass->dh_n, &pass->dc_n}) {
      shrink(*numbers);
    }
    const unsigned before = floating_point_mode();
    pass->forward();
    EXPECT_EQ(floating_point_mode(), before) << "forward";
    pass->backward();
    EXPECT_EQ(floating_point_mode(), before) << "backward";
    return pass;
  }
};

TEST_P(DenormalPasses, GiveTheSameBitsWithAndWithoutAPool) {
  const auto alone = run(no_pool);
  for (const int threads : {1, 2, 3}) {
    SCOPED_TRACE(std::to_string(threads) + " threads");
    const auto team = run(threads);
    EXPECT_TRUE(same_bits(team->y, alone->y));
    EXPECT_TRUE(same_bits(team->h_n, alone->h_n));
    EXPECT_TRUE(same_bits(team->c_n, alone->c_n));
    EXPECT_TRUE(same_bits(team->dx, alone->dx));
    EXPECT_TRUE(same_bits(team->dh0, alone->dh0));
    EXPECT_TRUE(same_bits(team->dc0, alone->dc0));
    EXPECT_TRUE(same_bits(team->d_parameters, alone->d_parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(All, DenormalPasses,
                         ::testing::Combine(::testing::ValuesIn(all_cells),
                                            ::testing::Values(Algorithm::row_blocks,
                                                              Algorithm::stepwise)),
                         [](const auto& test) {
                           return std::string(sluice::name_of(std::get<0>(test.param))) + "_" +
                                  sluice::name_of(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace sluice::test
