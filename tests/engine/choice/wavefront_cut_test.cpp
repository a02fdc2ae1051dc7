#include "engine/choice/wavefront_cut.h"

#include <gtest/gtest.h>

#include "engine/choice/algorithm_choice.h"

namespace sluice::test {
namespace {

TEST(WavefrontCuts, WeighChunksAgainstWhatEachCosts) {
  // Two layers of 100 us: C chunks take (C + 1)(100 / C + 4) us, least at 5.
  const WavefrontCut cut = wavefront_cut(2, 100, {100e-6, 4e-6, 0.1});
  EXPECT_EQ(cut.lanes, 2);
  EXPECT_EQ(cut.chunk_steps, 20);
  EXPECT_NEAR(cut.speedup, 200.0 / (6 * 24), 1e-9);
}

TEST(WavefrontCuts, HaveNoMoreLanesThanTheGpuHasRoomFor) {
  EXPECT_EQ(lanes_with_room(4, 64.0 / 132), 2);
  EXPECT_EQ(lanes_with_room(4, 66.0 / 132), 2);
  EXPECT_EQ(lanes_with_room(4, 67.0 / 132), 1);
  EXPECT_EQ(lanes_with_room(4, 44.0 / 132), 3);
  EXPECT_EQ(lanes_with_room(4, 1.5), 1) << "one alone takes turns";
  EXPECT_EQ(lanes_with_room(2, 0.01), 2);
  EXPECT_EQ(lanes_with_room(9, 0.01), kMostLanes);
}

// Whatever chunks a caller asks for: four layers of 128 blocks each would hold each other up for
// ever.
TEST(WavefrontChoice, FindsRoomForGridsByTheirBlocks) {
  RecurrentConfig config{.cell = Cell::lstm,
                         .data_type = DataType::bfloat16,
                         .input_size = 2048,
                         .hidden_size = 2048,
                         .num_layers = 4};
  const PassShape shape{.rows = 25 * 8, .steps = 25, .batch = 8};
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    const auto room = [&](const GpuDescription& gpu) {
      return algorithm_candidate(config, shape, gpu, Algorithm::persistent_grid).most_lanes(pass);
    };
    config.hidden_size = 2048;
    EXPECT_EQ(room(described_h100()), 1);
    config.hidden_size = 1024;
    EXPECT_EQ(room(described_h100()), 2);
    config.bidirectional = true;  // one launch takes both
    EXPECT_EQ(room(described_h100()), 1);
    config.bidirectional = false;
  }
}

TEST(WavefrontCuts, LeaveLayersThatFillTheGpuOneAfterAnother) {
  EXPECT_EQ(wavefront_cut(4, 100, {100e-6, 1e-6, 0.6}).lanes, 1);
  EXPECT_EQ(wavefront_cut(4, 100, {100e-6, 1e-6, 0.4}).lanes, 2);
  EXPECT_EQ(wavefront_cut(8, 100, {100e-6, 1e-6, 0.01}).lanes, kMostLanes);
  EXPECT_EQ(wavefront_cut(4, 100, {100e-6, 90e-6, 0.1}).lanes, 1) << "no gain";
  EXPECT_EQ(wavefront_cut(1, 100, {100e-6, 1e-6, 0.1}).lanes, 1);
  EXPECT_EQ(wavefront_cut(4, 3, {100e-6, 0, 0.1}).lanes, 1) << "too few steps";
}

// Every chunk is of the size that workspaces are sized for, or smaller.
TEST(WavefrontCuts, HaveAtLeastAsManyChunksAsLanes) {
  for (const int layers : {2, 3, 4, 7}) {
    for (std::int32_t steps = 1; steps < 200; ++steps) {
      const WavefrontCut cut = wavefront_cut(layers, steps, {1e-3, 2e-5, 0.2});
      if (cut.lanes == 1) continue;
      EXPECT_LE(cut.chunk_steps, (steps + cut.lanes - 1) / cut.lanes);
    }
  }
}

TEST(WavefrontCuts, TakeBothDirectionsSideBySide) {
  EXPECT_EQ(side_by_side({100e-6, 5e-6, 0.6}).lanes, 1);
  const WavefrontCut cut = side_by_side({100e-6, 5e-6, 0.5});
  EXPECT_EQ(cut.lanes, 2);
  EXPECT_EQ(cut.chunk_steps, 0);
  EXPECT_NEAR(cut.speedup, 200.0 / 105, 1e-9);
}

TEST(WavefrontChoice, SpeedsUpStacksOfOneDirection) {
  RecurrentConfig config{.cell = Cell::lstm,
                         .data_type = DataType::bfloat16,
                         .input_size = 128,
                         .hidden_size = 128,
                         .num_layers = 4};
  const PassShape shape{.rows = 512 * 64, .steps = 512, .batch = 64};
  const GpuDescription gpu = described_h200();
  const auto time = [&](Algorithm algorithm) {
    return algorithm_candidate(config, shape, gpu, algorithm).cost.predicted.total();
  };
  const double stacked = time(Algorithm::persistent_block), stepwise = time(Algorithm::stepwise);
  config.num_layers = 1;
  EXPECT_LT(stacked, 3 * time(Algorithm::persistent_block));
  EXPECT_LT(stepwise, 3 * time(Algorithm::stepwise));
  config.num_layers = 4;
  config.bidirectional = true;  // one launch of a persistent kernel takes both directions
  const auto lanes = [&](Algorithm algorithm) {
    return algorithm_candidate(config, shape, gpu, algorithm)
        .wavefront(RecurrentPass::forward)
        .lanes;
  };
  EXPECT_EQ(lanes(Algorithm::persistent_block), 1);
  EXPECT_EQ(lanes(Algorithm::stepwise), 2);
}

}  // namespace
}  // namespace sluice::test
