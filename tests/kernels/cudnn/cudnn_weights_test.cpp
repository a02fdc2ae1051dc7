// Where Sluice's parameters go in cuDNN's weight space, and which algorithm stands for the best.
#include "kernels/cudnn/cudnn_weights.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(CudnnWeights, PartsFollowTheParametersOfPyTorch) {
  CudnnRnnConfig config;
  config.cell = Cell::lstm;
  config.input_size = 3;
  config.hidden_size = 2;
  config.num_layers = 2;
  config.bidirectional = true;
  const std::vector<CudnnWeightPart> parts = cudnn_weight_parts(config);
  ASSERT_EQ(parts.size(), 4u * 16);  // pseudo-layers x (4 gates of W and R, their biases)
  std::int64_t flat = 0;
  for (const CudnnWeightPart& part : parts) {
    EXPECT_EQ(part.flat, flat);
    flat += part.count;
  }
  EXPECT_EQ(flat, 2 * (8 * 3 + 8 * 2 + 16) + 2 * (8 * 4 + 8 * 2 + 16));
  EXPECT_EQ(parts[0].count, 2 * 3);     // a gate of W of layer 0
  EXPECT_EQ(parts[4].linear_layer, 4);  // the first gate of R
  EXPECT_TRUE(parts[8].bias);
  EXPECT_EQ(parts[12].linear_layer, 4);  // bias of R
  EXPECT_EQ(parts[16].pseudo_layer, 1);  // the reverse direction of layer 0
  EXPECT_EQ(parts[32].count, 2 * 4);     // layer 1 reads both directions
}

TEST(CudnnWeights, NeighboursAreJoined) {
  EXPECT_EQ(merged({{0, 10, 4}, {4, 14, 4}, {8, 30, 2}, {10, 32, 2}, {20, 34, 1}}),
            (std::vector<CudnnWeightRange>{{0, 10, 8}, {8, 30, 4}, {20, 34, 1}}));
  EXPECT_TRUE(merged({}).empty());
}

TEST(CudnnBest, PersistsWhereTheStateIsSmallAndRowsAreEqual) {
  CudnnRnnConfig config;
  config.hidden_size = 128;
  EXPECT_EQ(cudnn_best(config, {10, 8, true, true}), CudnnAlgorithm::persist_static_small_h);
  EXPECT_EQ(cudnn_best(config, {10, 8, false, true}), CudnnAlgorithm::standard);
  config.hidden_size = 192;
  EXPECT_EQ(cudnn_best(config, {10, 8, true, true}), CudnnAlgorithm::standard);
  EXPECT_EQ(cudnn_best(config, {10, 8, true, false}), CudnnAlgorithm::persist_static_small_h);
  config.type = DataType::float16;
  config.hidden_size = config.input_size = 512;
  EXPECT_EQ(cudnn_best(config, {10, 64, true, true}), CudnnAlgorithm::persist_static);
  EXPECT_EQ(cudnn_best(config, {10, 60, true, true}), CudnnAlgorithm::standard);
  config.cell = Cell::gru;
  EXPECT_EQ(cudnn_best(config, {10, 64, true, true}), CudnnAlgorithm::standard);
  config.hidden_size = 64;
  config.type = DataType::float64;
  EXPECT_EQ(cudnn_best(config, {10, 8, true, false}), CudnnAlgorithm::standard);
}

TEST(CudnnVersion, IsReadable) { EXPECT_EQ(cudnn_version_text(91900), "9.19.0"); }

}  // namespace
}  // namespace sluice
