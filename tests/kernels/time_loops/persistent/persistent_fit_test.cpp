// What the persistent kernels say they can take: a function of a GPU's limits, so of any GPU's.
#include <gtest/gtest.h>

#include <utility>

#include "kernels/time_loops/persistent/persistent.h"

namespace sluice::test {
namespace {

constexpr PersistentLimits h200{9, 0, 132, 227 * 1024, {132, 66, 33, 16, 7}};
constexpr PersistentLimits a100{8, 0, 108, 163 * 1024, {108}};
constexpr PersistentLimits rtx4090{8, 9, 128, 99 * 1024, {128}};
constexpr PersistentLimits t4{7, 5, 40, 64 * 1024, {40}};

PersistentRequest request(PersistentKind kind, DataType type, std::int64_t hidden,
                          std::int64_t batch = 64, Cell cell = Cell::lstm) {
  return {
      .kind = kind, .shape = {.cell = cell, .type = type, .hidden_size = hidden}, .batch = batch};
}
bool both_fit(const PersistentLimits& limits, PersistentRequest asked) {
  asked.pass = RecurrentPass::forward;
  const bool forward = persistent_fit(limits, asked).fits;
  asked.pass = RecurrentPass::backward;
  return forward && persistent_fit(limits, asked).fits;
}

TEST(PersistentFit, CapacitiesOfAnH200) {
  using enum PersistentKind;
  EXPECT_TRUE(both_fit(h200, request(block, DataType::bfloat16, 160)));
  EXPECT_FALSE(both_fit(h200, request(block, DataType::bfloat16, 256)));
  EXPECT_TRUE(both_fit(h200, request(block, DataType::float32, 96)));
  EXPECT_FALSE(both_fit(h200, request(block, DataType::float32, 160)));
  EXPECT_TRUE(both_fit(h200, request(cluster, DataType::bfloat16, 512)));
  EXPECT_TRUE(both_fit(h200, request(cluster, DataType::bfloat16, 600)));
  EXPECT_FALSE(both_fit(h200, request(cluster, DataType::bfloat16, 1024)));
  EXPECT_TRUE(both_fit(h200, request(grid, DataType::bfloat16, 2048)));
  EXPECT_TRUE(both_fit(h200, request(grid, DataType::bfloat16, 2112, 64, Cell::gru)));
  EXPECT_FALSE(both_fit(h200, request(grid, DataType::bfloat16, 2816, 64, Cell::gru)));
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    PersistentRequest tf32 = request(grid, DataType::float32, 1024, 64, cell);
    tf32.shape.math = MatrixMath::tf32;
    EXPECT_TRUE(both_fit(h200, tf32));
  }
}

TEST(PersistentFit, GroupsOfTheGridGrowUntilTheyRunAtOnce) {
  PersistentRequest asked = request(PersistentKind::grid, DataType::bfloat16, 1024, 32);
  EXPECT_EQ(persistent_fit(h200, asked).rows, 16);  // two groups of 64 blocks
  asked.batch = 64;
  const PersistentFit fit = persistent_fit(h200, asked);
  EXPECT_EQ(fit.rows, 32);
  EXPECT_EQ(fit.waves(), 1);
  // One direction after the other where both do not fit at once.
  asked = request(PersistentKind::grid, DataType::bfloat16, 2048, 16);
  asked.directions = 2;
  EXPECT_EQ(persistent_fit(h200, asked).waves(), 2);
}

TEST(PersistentFit, RecurrentDropoutIsNoReasonToRefuse) {
  using enum PersistentKind;
  for (const auto& [kind, hidden] : {std::pair(block, 128), {cluster, 512}, {grid, 1024}}) {
    PersistentRequest dropout = request(kind, DataType::bfloat16, hidden);
    dropout.options = true;
    EXPECT_TRUE(both_fit(h200, dropout)) << name_of(kind);
  }
}

TEST(PersistentFit, OlderGpus) {
  using enum PersistentKind;
  EXPECT_TRUE(both_fit(a100, request(block, DataType::bfloat16, 128)));
  EXPECT_TRUE(both_fit(rtx4090, request(block, DataType::bfloat16, 64)));
  EXPECT_NE(persistent_fit(a100, request(cluster, DataType::bfloat16, 256)).why_not.find("9.0"),
            std::string::npos);
  EXPECT_NE(persistent_fit(t4, request(block, DataType::float32, 32)).why_not.find("8.0"),
            std::string::npos);
  EXPECT_NE(
      persistent_fit({}, request(block, DataType::float32, 32)).why_not.find("no CUDA device"),
      std::string::npos);
}

TEST(PersistentFit, WhatIsNotThereIsRefusedWithTheReason) {
  using enum PersistentKind;
  const auto why = [](const PersistentRequest& asked) {
    return persistent_fit(h200, asked).why_not;
  };
  EXPECT_NE(why(request(block, DataType::float64, 32)).find("float64"), std::string::npos);
  EXPECT_NE(why(request(block, DataType::float32, 32, 8, Cell::gru_reset_before))
                .find("gru_reset_before"),
            std::string::npos);
  EXPECT_NE(why(request(block, DataType::bfloat16, 256)).find("threads"), std::string::npos);
  EXPECT_NE(why(request(cluster, DataType::float32, 64, 8, Cell::rnn_tanh)).find("16 bits"),
            std::string::npos);
  EXPECT_NE(why(request(cluster, DataType::bfloat16, 16)).find("too small"), std::string::npos);
  EXPECT_NE(why(request(cluster, DataType::bfloat16, 2048)), "");
}

TEST(PersistentFit, RowsAndBlocksFollowTheBatch) {
  const PersistentFit few =
      persistent_fit(h200, request(PersistentKind::cluster, DataType::bfloat16, 512, 16));
  EXPECT_EQ(few.rows, 8);
  EXPECT_EQ(few.groups, 2);
  EXPECT_EQ(few.waves(), 1);
  // 16 groups of 8 rows would take three waves of 7 clusters.
  const PersistentFit many =
      persistent_fit(h200, request(PersistentKind::cluster, DataType::bfloat16, 512, 128));
  EXPECT_EQ(many.rows * many.groups, 128);
  EXPECT_LE(many.waves(), 2);
  const PersistentFit block =
      persistent_fit(h200, request(PersistentKind::block, DataType::bfloat16, 64, 256));
  EXPECT_EQ(block.groups, 32);
  EXPECT_EQ(block.blocks, 1);
  EXPECT_EQ(block.threads, 4 * 32);
}

// Kernels without options are there for the shapes of bench/predictions.md.
TEST(PersistentFit, KernelsOfMuchUsedCellsHoldMoreWeights) {
  using enum PersistentKind;
  const auto kernel = [](const PersistentRequest& asked) {
    const PersistentFit fit = persistent_fit(h200, asked);
    EXPECT_TRUE(fit.fits) << fit.why_not;
    EXPECT_EQ(fit.request.shape.hidden_size, asked.shape.hidden_size);
    return fit.kernel;
  };
  for (const DataType type : {DataType::bfloat16, DataType::float16}) {
    EXPECT_TRUE(kernel(request(block, type, 64, 256)).small);
    EXPECT_TRUE(kernel(request(cluster, type, 512)).small);
    EXPECT_TRUE(kernel(request(cluster, type, 512, 128)).wide);
    EXPECT_FALSE(kernel(request(grid, type, 768, 16)).options);
    EXPECT_TRUE(kernel(request(grid, type, 1024)).wide);
    EXPECT_FALSE(kernel(request(grid, type, 1024, 32, Cell::gru)).options);
  }
  EXPECT_FALSE(kernel(request(cluster, DataType::float32, 64, 256)).options);
  EXPECT_FALSE(kernel(request(grid, DataType::float32, 512)).options);
  PersistentRequest tf32 = request(grid, DataType::float32, 1024);
  tf32.shape.math = MatrixMath::tf32;
  EXPECT_FALSE(kernel(tf32).options);
  tf32.kind = block;
  tf32.shape.hidden_size = 64;
  EXPECT_TRUE(kernel(tf32).small);
  // Three tiles a block are too many threads for a small kernel.
  EXPECT_TRUE(kernel(request(cluster, DataType::bfloat16, 600)).options);
}

TEST(PersistentFit, OneKernelTakesAllOptions) {
  using enum PersistentKind;
  for (const auto& [kind, hidden] : {std::pair(block, 64), {cluster, 512}, {grid, 1024}}) {
    PersistentRequest asked = request(kind, DataType::bfloat16, hidden);
    asked.options = true;
    const PersistentKernel kernel = persistent_fit(h200, asked).kernel;
    EXPECT_TRUE(kernel.options);
    EXPECT_FALSE(kernel.small || kernel.wide);
  }
}

// Cells that are less used have no other kernel, but one gate over a grid without tensor cores; and
// for clusters those of 16-bit numbers.
TEST(PersistentFit, LessUsedCellsHaveTheKernelsWithOptions) {
  using enum PersistentKind;
  for (const Cell cell :
       {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm_peephole, Cell::lstm_coupled}) {
    for (const auto& [kind, hidden] : {std::pair(block, 64), {grid, 512}}) {
      for (const DataType type : {DataType::bfloat16, DataType::float16, DataType::float32}) {
        const PersistentRequest asked = request(kind, type, hidden, 64, cell);
        EXPECT_TRUE(both_fit(h200, asked)) << name_of(cell) << ", " << name_of(kind);
        const bool plain = kind == grid && type == DataType::float32 && gate_count(cell) == 1;
        EXPECT_EQ(persistent_fit(h200, asked).kernel.options, !plain);
      }
    }
    for (const DataType type : {DataType::bfloat16, DataType::float16}) {
      const PersistentRequest asked = request(cluster, type, 256, 64, cell);
      EXPECT_TRUE(both_fit(h200, asked)) << name_of(cell);
      EXPECT_TRUE(persistent_fit(h200, asked).kernel.options);
    }
    for (const MatrixMath math : {MatrixMath::ieee, MatrixMath::tf32}) {
      PersistentRequest asked = request(cluster, DataType::float32, 128, 64, cell);
      asked.shape.math = math;
      const PersistentFit fit = persistent_fit(h200, asked);
      EXPECT_NE(fit.why_not.find("persistent_grid"), std::string::npos) << fit.why_not;
    }
  }
}

// Clusters of float32: of cells that are much used, in IEEE arithmetic without options.
TEST(PersistentFit, ClustersOfFloat32) {
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const bool tf32 : {false, true}) {
      for (const bool options : {false, true}) {
        PersistentRequest asked =
            request(PersistentKind::cluster, DataType::float32, 128, 64, cell);
        asked.shape.math = tf32 ? MatrixMath::tf32 : MatrixMath::ieee;
        asked.options = options;
        EXPECT_EQ(both_fit(h200, asked), tf32 || !options) << name_of(cell) << tf32 << options;
      }
    }
  }
}

TEST(PersistentFit, WhatIsHeldFollowsThePass) {
  using enum PersistentKind;
  const auto matrix = [](PersistentRequest asked, RecurrentPass pass) {
    asked.pass = pass;
    return persistent_fit(h200, asked).kernel.matrix;
  };
  const PersistentRequest halves = request(grid, DataType::bfloat16, 512);
  EXPECT_EQ(matrix(halves, RecurrentPass::forward), PersistentMatrix::rows);
  EXPECT_EQ(matrix(halves, RecurrentPass::backward), PersistentMatrix::scattered);
  EXPECT_EQ(matrix(request(grid, DataType::float32, 512), RecurrentPass::backward),
            PersistentMatrix::columns);
  EXPECT_EQ(matrix(request(cluster, DataType::bfloat16, 512), RecurrentPass::backward),
            PersistentMatrix::columns);
}

TEST(PersistentFit, ACellWithoutAMatrixNeedsNeitherPackedWeightsNorAnExchange) {
  using enum PersistentKind;
  for (const DataType type : {DataType::float64, DataType::float32, DataType::bfloat16}) {
    const PersistentRequest asked = request(block, type, 300, 9, Cell::indrnn);
    const PersistentFit fit = persistent_fit(t4, asked);  // no tensor cores, no cooperative launch
    ASSERT_TRUE(fit.fits) << fit.why_not;
    EXPECT_EQ(fit.kernel.matrix, PersistentMatrix::none);
    EXPECT_FALSE(fit.kernel.options);
    EXPECT_GE(fit.blocks * fit.threads, 300);
    EXPECT_GE(fit.groups * fit.rows, 9);
    EXPECT_EQ(fit.shared_bytes, 0u);
    EXPECT_EQ(persistent_weight_bytes(asked) + persistent_exchange_bytes(asked), 0u);
  }
  for (const PersistentKind kind : {cluster, grid}) {
    const PersistentFit fit =
        persistent_fit(h200, request(kind, DataType::float32, 300, 9, Cell::indrnn));
    EXPECT_NE(fit.why_not.find("persistent_block"), std::string::npos) << fit.why_not;
  }
}

TEST(PersistentFit, MemoryForALargeBatchServesASmallOne) {
  std::size_t before = 0;
  for (const std::int64_t batch : {1, 7, 8, 9, 64, 65, 1000}) {
    const std::size_t bytes =
        persistent_exchange_bytes(request(PersistentKind::grid, DataType::bfloat16, 1024, batch));
    EXPECT_GE(bytes, before);
    before = bytes;
  }
  EXPECT_EQ(persistent_exchange_bytes(request(PersistentKind::cluster, DataType::bfloat16, 512)),
            0u);
}

}  // namespace
}  // namespace sluice::test
