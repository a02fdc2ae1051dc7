#include "engine/choice/algorithm_choice.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice {
namespace {

RecurrentConfig config_of(Cell cell, std::int64_t hidden, DataType type) {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = hidden;
  config.hidden_size = hidden;
  config.data_type = type;
  return config;
}

PassShape shape_of(std::int32_t steps, std::int32_t batch) {
  return {std::int64_t{steps} * batch, steps, batch, true};
}

const AlgorithmCandidate& candidate(const std::vector<AlgorithmCandidate>& candidates,
                                    Algorithm algorithm) {
  return *std::find_if(candidates.begin(), candidates.end(),
                       [&](const auto& each) { return each.algorithm == algorithm; });
}

TEST(AlgorithmChoice, KeepsTheWeightsAsNearAsTheyFit) {
  const auto fastest = [](std::int64_t hidden, std::int32_t batch) {
    return algorithm_candidates(config_of(Cell::lstm, hidden, DataType::bfloat16),
                                shape_of(400, batch), described_h200())
        .front()
        .algorithm;
  };
  EXPECT_EQ(fastest(64, 256), Algorithm::persistent_block);
  EXPECT_EQ(fastest(512, 32), Algorithm::persistent_cluster);
  EXPECT_EQ(fastest(1024, 16), Algorithm::persistent_grid);
  EXPECT_EQ(fastest(8192, 128), Algorithm::stepwise);
}

TEST(AlgorithmChoice, NamesWhatSpeaksAgainstEachOther) {
  for (const RecurrentConfig& config : {config_of(Cell::gru_reset_before, 64, DataType::float32),
                                        config_of(Cell::lstm, 64, DataType::float64)}) {
    const auto candidates = algorithm_candidates(config, shape_of(10, 8), described_h200());
    EXPECT_EQ(candidates.front().algorithm, Algorithm::stepwise);
    EXPECT_FALSE(candidate(candidates, Algorithm::persistent_block).why_not.empty());
    EXPECT_FALSE(candidate(candidates, Algorithm::persistent_grid).why_not.empty());
  }
  GpuDescription turing = described_h200();
  turing.limits.major = 7;
  turing.limits.minor = 5;
  const auto candidates =
      algorithm_candidates(config_of(Cell::lstm, 64, DataType::float16), shape_of(10, 8), turing);
  EXPECT_EQ(candidates.front().algorithm, Algorithm::stepwise);
  EXPECT_NE(candidate(candidates, Algorithm::persistent_block).why_not.find("compute capability"),
            std::string::npos);
}

TEST(AlgorithmChoice, TakesCudnnWhereItIsThereAndExpectedToBeFaster) {
  for (const DataType type : {DataType::float16, DataType::bfloat16}) {
    const RecurrentConfig config = config_of(Cell::lstm, 2560, type);
    GpuDescription gpu = described_h200();
    gpu.why_not_cudnn = "it is not there";
    const auto without = algorithm_candidates(config, shape_of(25, 64), gpu);
    EXPECT_EQ(without.front().algorithm, Algorithm::stepwise);
    EXPECT_EQ(candidate(without, Algorithm::cudnn).why_not, "it is not there");
    gpu.why_not_cudnn = "";
    EXPECT_EQ(algorithm_candidates(config, shape_of(25, 64), gpu).front().algorithm,
              Algorithm::cudnn);
  }
}

TEST(AlgorithmChoice, CudnnIsNoneWithoutADeviceOrWithWhatItLacks) {
  RecurrentConfig config = config_of(Cell::lstm, 64, DataType::float32);
  if (persistent_limits().multiprocessors == 0) {
    EXPECT_EQ(described_device(config).why_not_cudnn, "there is no CUDA device");
  }
  config.gate_input = true;
  EXPECT_NE(described_device(config).why_not_cudnn.find("gate_input"), std::string::npos);
}

TEST(AlgorithmChoice, ExpectsNothingFasterThanTheLimit) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    for (const std::int64_t hidden : {64, 256, 512, 1024, 2048}) {
      for (const std::int32_t batch : {1, 16, 64, 256}) {
        const RecurrentConfig config = config_of(cell, hidden, DataType::bfloat16);
        const PassShape shape = shape_of(100, batch);
        const GpuDescription gpu = described_h200();
        const double least = limit(config, shape, gpu.rates).total();
        EXPECT_GT(least, 0.0);
        for (const AlgorithmCandidate& each : algorithm_candidates(config, shape, gpu)) {
          if (!each.why_not.empty()) continue;
          EXPECT_GE(each.cost.predicted.total(), each.cost.floor.total())
              << name_of(each.algorithm);
          EXPECT_GE(each.cost.predicted.total(), least)
              << name_of(each.algorithm) << " H " << hidden << " B " << batch;
        }
      }
    }
  }
}

TEST(AlgorithmChoice, TimeGrowsWithStepsLayersAndDirections) {
  RecurrentConfig config = config_of(Cell::lstm, 128, DataType::bfloat16);
  const auto time = [&](std::int32_t steps) {
    return algorithm_candidates(config, shape_of(steps, 16), described_h200())
        .front()
        .cost.predicted.total();
  };
  const double once = time(100);
  EXPECT_NEAR(time(200), 2 * once, 1e-9);
  config.num_layers = 2;
  EXPECT_NEAR(time(100), 2 * once, 0.05 * once);
  config.num_layers = 1;
  config.bidirectional = true;
  EXPECT_GE(time(100), once);
}

}  // namespace
}  // namespace sluice
