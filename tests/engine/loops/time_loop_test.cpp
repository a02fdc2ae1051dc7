// The time loops as objects: what each takes, what it does not and why, and what it uses.
#include "engine/loops/time_loop.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

constexpr Algorithm kOnCpu[] = {Algorithm::stepwise, Algorithm::row_blocks};
constexpr Algorithm kOnCudaAlone[] = {Algorithm::persistent_block, Algorithm::persistent_cluster,
                                      Algorithm::persistent_grid, Algorithm::cudnn,
                                      Algorithm::cudnn_persist_static_small_h};

RecurrentConfig config_of(Cell cell, DataType type = DataType::float32) {
  RecurrentConfig config;
  config.cell = cell;
  config.data_type = type;
  config.input_size = 3;
  config.hidden_size = 5;
  return config;
}

TEST(TimeLoops, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (int a = 0; a <= static_cast<int>(Algorithm::cudnn_persist_static_small_h); ++a) {
    names.insert(name_of(static_cast<Algorithm>(a)));
  }
  EXPECT_EQ(names.size(), 11u);
  EXPECT_EQ(names.count("persistent_grid"), 1u);
  EXPECT_EQ(names.count("cudnn_persist_static_small_h"), 1u);
}

TEST(TimeLoops, SayWhyTheyCannot) {
  for (const Cell cell : all_cells) {
    for (const DataType type :
         {DataType::float32, DataType::float64, DataType::bfloat16, DataType::float16}) {
      EXPECT_EQ(why_not(Algorithm::stepwise, config_of(cell, type), DeviceKind::cpu), "");
      const std::string rows =
          why_not(Algorithm::row_blocks, config_of(cell, type), DeviceKind::cpu);
      EXPECT_EQ(rows.empty(), !is_16_bit(type)) << rows;
      if (rows.empty()) continue;
      EXPECT_NE(rows.find(name_of(type)), std::string::npos) << rows;
    }
  }
  const RecurrentConfig lstm = config_of(Cell::lstm);
  EXPECT_NE(why_not(Algorithm::row_blocks, lstm, DeviceKind::cuda).find("CPU alone"),
            std::string::npos);
  for (const Algorithm algorithm : kOnCudaAlone) {
    EXPECT_NE(why_not(algorithm, lstm, DeviceKind::cpu).find("CUDA alone"), std::string::npos);
  }
  RecurrentConfig dropping = lstm;
  dropping.recurrent_dropout = 0.5;
  const std::string why = why_not(Algorithm::cudnn, dropping, DeviceKind::cuda);
  EXPECT_NE(why.find("dropout on the recurrent state"), std::string::npos) << why;
}

// A size query and a pass walk the same code; a part that is not read is not taken.
TEST(TimeLoops, TakeWhatTheyUseAlone) {
  for (const Cell cell : all_cells) {
    const CellSpec& spec = spec_of(cell);
    for (const Algorithm algorithm : kOnCpu) {
      for (const auto pass : {sluice::RecurrentPass::forward, sluice::RecurrentPass::backward}) {
        for (const bool drops : {false, true}) {
          LoopRequest request{.config = config_of(cell), .pass = pass, .batch = 4, .drops = drops};
          request.config.recurrent_dropout = 0.5;
          const auto loop = time_loop(algorithm, request);
          Carver counts(nullptr);
          LoopMemory memory;
          loop->take(counts, memory);
          std::vector<unsigned char> bytes(counts.used() + 1);
          Carver gives(bytes.data());
          loop->take(gives, memory);
          EXPECT_EQ(gives.used(), counts.used());
          const bool stepwise = algorithm == Algorithm::stepwise;
          const bool backward = pass == sluice::RecurrentPass::backward;
          const bool masks = drops && spec.recurrent_matrix;
          EXPECT_EQ(memory.packed != nullptr, !stepwise);
          EXPECT_EQ(memory.h_operand != nullptr, stepwise && !backward && masks);
          EXPECT_EQ(memory.d_masked != nullptr, stepwise && backward && masks);
          EXPECT_EQ(memory.d_operand != nullptr, stepwise && backward && spec.two_phases());
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice::test
