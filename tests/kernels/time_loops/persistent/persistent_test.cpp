// The persistent kernels against their CPU twin (kernels/time_loops/recurrence.h) on the same
// numbers: both directions in one launch, rows of different lengths, runs of steps one after the
// other.
#include "kernels/time_loops/persistent/persistent.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/kernels/time_loops/persistent/persistent_run.h"

namespace sluice::test {
namespace {

using Case = PersistentCase;

// Roundings of h, dG and, stored, of everything else: 2^-9, 2^-12, 2^-11 (operands alone), a few
// steps. float64 is held against float32.
constexpr Arithmetic ieee{DataType::float32, MatrixMath::ieee, 2e-5, "float32"};
constexpr Arithmetic tf32{DataType::float32, MatrixMath::tf32, 4e-3, "tf32"};
constexpr Arithmetic bfloat16{DataType::bfloat16, MatrixMath::ieee, 2e-2, "bfloat16"};
constexpr Arithmetic float16{DataType::float16, MatrixMath::ieee, 3e-3, "float16"};
constexpr Arithmetic float64{DataType::float64, MatrixMath::ieee, 2e-5, "float64"};

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  return std::string(c.kind == PersistentKind::block     ? "block_"
                     : c.kind == PersistentKind::cluster ? "cluster_"
                                                         : "grid_") +
         sluice::name_of(c.cell) + "_" + c.arithmetic.name + "_b" + std::to_string(c.batch) + "_h" +
         std::to_string(c.hidden) + "_t" + std::to_string(c.steps) +
         (c.dropout > 0.0 ? "_dropout" : "") + (c.zoneout_h > 0.0 ? "_zoneout_h" : "") +
         (c.zoneout_c > 0.0 ? "_zoneout_c" : "") + (c.drops ? "" : "_mixes") +
         (c.shares_inputs ? "_shared_inputs" : "") +
         (c.run_steps > 0 ? "_runs_of_" + std::to_string(c.run_steps) : "") +
         (c.directions == 1 ? "_one_direction" : "") +
         (c.groups_at_once > 0 ? "_one_after_the_other" : "") + "_cuda";
}

class Persistent : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const std::string problem = why_unavailable(DeviceKind::cuda);
    if (!problem.empty()) GTEST_SKIP() << problem;
    gpu_ = std::make_unique<TestDevice>(DeviceKind::cuda);
    cpu_ = std::make_unique<TestDevice>(DeviceKind::cpu);
  }
  std::unique_ptr<TestDevice> gpu_, cpu_;
};

void expect_close(const char* name, const Tensor& tensor, double allowed) {
  const std::vector<float> gpu = tensor.on_gpu(), cpu = tensor.on_cpu();
  ASSERT_EQ(gpu.size(), cpu.size()) << name;
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    if (std::isnan(cpu[i])) {  // the twin left it alone
      ASSERT_TRUE(std::isnan(gpu[i])) << name << " at " << i << " was written";
      continue;
    }
    const double of = std::max(1.0, std::abs(static_cast<double>(cpu[i])));
    ASSERT_NEAR(gpu[i], cpu[i], allowed * of) << name << " at " << i << " of " << cpu.size();
  }
}

TEST_P(Persistent, AgreesWithTheCpu) {
  const Case& test = GetParam();
  PersistentRun run(gpu_->queue(), cpu_->queue(), test);
  if (!run.forward_fit().fits && persistent_limits().major < 9) {
    GTEST_SKIP() << run.forward_fit().why_not;
  }
  ASSERT_TRUE(run.forward_fit().fits) << run.forward_fit().why_not;
  ASSERT_TRUE(run.backward_fit().fits) << run.backward_fit().why_not;
  run.prepare();
  const double allowed = test.arithmetic.allowed;
  const auto trace_of = [&](const auto& at) {
    return at == run.directions().front() ? "forward direction" : "reverse direction";
  };

  run.forward();
  for (const auto& at : run.directions()) {
    SCOPED_TRACE(trace_of(at));
    expect_close("h", at->h, allowed);
    expect_close("gates", at->x, allowed);
    expect_close("h_state", at->h_state, allowed);
    if (has_cell_state(test.cell)) {
      expect_close("c", at->c, allowed);
      expect_close("c_state", at->c_state, allowed);
    }
    at->x.take_from_gpu();
    at->h.take_from_gpu();
    at->c.take_from_gpu();
  }
  if (testing::Test::HasFatalFailure()) return;

  run.backward();
  for (const auto& at : run.directions()) {
    SCOPED_TRACE(trace_of(at));
    expect_close("gradients by the gates", at->x, allowed);
    expect_close("dh", at->dh, allowed);
    if (has_cell_state(test.cell)) expect_close("dc", at->dc, allowed);
    for (const Tensor* tensor :
         {&at->weights, &at->x, &at->h, &at->c, &at->h_state, &at->dh, &at->dc}) {
      EXPECT_TRUE(tensor->gpu.guards_intact());
    }
    EXPECT_TRUE(at->packed_forward.guards_intact() && at->packed_backward.guards_intact());
    EXPECT_TRUE(at->exchange_forward.guards_intact() && at->exchange_backward.guards_intact());
  }
}

using enum PersistentKind;

// Sizes that fill tiles, chunks and blocks badly, and one or two that fill them well; every cell,
// type and number of row tiles; one warp and many; weights in registers alone and in shared memory
// too.
INSTANTIATE_TEST_SUITE_P(
    Block, Persistent,
    testing::Values(
        Case{block, Cell::lstm, ieee, 1, 1, 1}, Case{block, Cell::lstm, ieee, 3, 17, 7},
        Case{block, Cell::lstm, ieee, 17, 34, 2}, Case{block, Cell::gru, ieee, 3, 34, 7},
        Case{block, Cell::rnn_tanh, ieee, 3, 17, 7}, Case{block, Cell::rnn_relu, ieee, 9, 34, 2},
        Case{block, Cell::lstm, ieee, 9, 17, 7, 0.4}, Case{block, Cell::gru, ieee, 3, 17, 2, 0.4},
        Case{block, Cell::lstm, ieee, 9, 17, 7, 0.0, 3},
        Case{block, Cell::gru, ieee, 9, 17, 7, 0.0, 2, 1},
        Case{block, Cell::lstm, bfloat16, 1, 1, 1}, Case{block, Cell::lstm, bfloat16, 9, 17, 7},
        Case{block, Cell::lstm, bfloat16, 3, 160, 2}, Case{block, Cell::gru, bfloat16, 3, 34, 7},
        Case{block, Cell::gru, bfloat16, 1, 130, 2},
        Case{block, Cell::rnn_tanh, bfloat16, 3, 34, 2},
        Case{block, Cell::lstm, bfloat16, 3, 34, 2, 0.4},
        Case{block, Cell::gru, bfloat16, 3, 17, 2, 0.4}, Case{block, Cell::lstm, float16, 3, 34, 7},
        Case{block, Cell::gru, float16, 9, 17, 2}, Case{block, Cell::lstm, tf32, 3, 34, 7},
        Case{block, Cell::gru, tf32, 9, 17, 2}, Case{block, Cell::rnn_relu, tf32, 3, 17, 2, 0.4}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(Cluster, Persistent,
                         testing::Values(Case{cluster, Cell::lstm, ieee, 3, 34, 7},
                                         Case{cluster, Cell::gru, ieee, 9, 34, 2},
                                         Case{cluster, Cell::lstm, float16, 3, 34, 2, 0.4},
                                         Case{cluster, Cell::rnn_tanh, bfloat16, 3, 34, 2},
                                         Case{cluster, Cell::gru, bfloat16, 3, 610, 2, 0.0, 0, 1},
                                         Case{cluster, Cell::lstm, bfloat16, 3, 130, 2, 0.0, 0, 1},
                                         Case{cluster, Cell::lstm, bfloat16, 9, 34, 7, 0.0, 3},
                                         Case{cluster, Cell::gru, bfloat16, 3, 34, 2, 0.4},
                                         Case{cluster, Cell::gru, float16, 3, 66, 2},
                                         Case{cluster, Cell::gru, ieee, 3, 34, 7},
                                         Case{cluster, Cell::lstm, tf32, 3, 34, 7}),
                         name_of_case);

INSTANTIATE_TEST_SUITE_P(Grid, Persistent,
                         testing::Values(Case{grid, Cell::lstm, ieee, 3, 34, 7},
                                         Case{grid, Cell::gru, bfloat16, 9, 34, 2},
                                         Case{grid, Cell::lstm, bfloat16, 9, 34, 7, 0.0, 3},
                                         Case{grid, Cell::rnn_relu, float16, 3, 34, 2},
                                         Case{grid, Cell::lstm, tf32, 3, 34, 1},
                                         Case{grid, Cell::lstm, bfloat16, 9, 34, 2, 0.4},
                                         Case{grid, Cell::gru, ieee, 3, 34, 7, 0.4, 3},
                                         Case{grid, Cell::rnn_tanh, tf32, 3, 34, 2, 0.4},
                                         Case{grid, Cell::lstm, bfloat16, 19, 34, 3, 0.0, 2, 2, 1},
                                         Case{grid, Cell::gru, float16, 3, 34, 2, 0.4},
                                         Case{grid, Cell::lstm, tf32, 3, 530, 1, 0.0, 0, 1},
                                         Case{grid, Cell::lstm, bfloat16, 720, 34, 2, 0.0, 0, 1},
                                         Case{grid, Cell::gru, float16, 720, 34, 1, 0.0, 0, 1}),
                         name_of_case);

/// `test` with zoneout.
Case zoned(Case test, double h, double c, bool drops = true) {
  test.zoneout_h = h;
  test.zoneout_c = c;
  test.drops = drops;
  return test;
}
Case sharing(Case test) {
  test.shares_inputs = true;
  return test;
}

// Cells with weights of each unit, with coupled gates: in every exchange, each product once.
INSTANTIATE_TEST_SUITE_P(
    OtherCells, Persistent,
    testing::Values(Case{block, Cell::lstm_peephole, ieee, 3, 17, 7},
                    Case{block, Cell::lstm_peephole, bfloat16, 9, 34, 2, 0.4},
                    Case{block, Cell::lstm_peephole, tf32, 3, 34, 7, 0.0, 3},
                    Case{cluster, Cell::lstm_peephole, float16, 9, 34, 7, 0.0, 3},
                    Case{grid, Cell::lstm_peephole, bfloat16, 9, 34, 7, 0.0, 3},
                    Case{grid, Cell::lstm_peephole, ieee, 3, 34, 2},
                    Case{grid, Cell::lstm_peephole, tf32, 3, 34, 2, 0.4},
                    Case{block, Cell::lstm_coupled, ieee, 9, 17, 7, 0.0, 2},
                    Case{block, Cell::lstm_coupled, float16, 3, 34, 2},
                    Case{cluster, Cell::lstm_coupled, bfloat16, 3, 34, 7},
                    Case{grid, Cell::lstm_coupled, float16, 9, 34, 7, 0.0, 3},
                    Case{grid, Cell::lstm_coupled, ieee, 3, 34, 2, 0.4},
                    Case{grid, Cell::lstm_coupled, tf32, 3, 34, 3},
                    sharing({block, Cell::lstm_peephole, ieee, 3, 17, 7}),
                    sharing({grid, Cell::lstm_coupled, bfloat16, 9, 34, 3})),
    name_of_case);

// Without a recurrent matrix: more steps than are asked for at once, and fewer; rows that share a
// warp and units that need two blocks.
INSTANTIATE_TEST_SUITE_P(
    Units, Persistent,
    testing::Values(Case{block, Cell::indrnn, ieee, 1, 1, 1},
                    Case{block, Cell::indrnn, ieee, 9, 17, 19},
                    Case{block, Cell::indrnn, float64, 3, 150, 9},
                    Case{block, Cell::indrnn, bfloat16, 9, 34, 17, 0.0, 5},
                    Case{block, Cell::indrnn, float16, 3, 70, 8, 0.0, 0, 1},
                    Case{block, Cell::indrnn, ieee, 9, 34, 10, 0.4},
                    Case{block, Cell::indrnn, float64, 9, 17, 10, 0.4, 3},
                    sharing({block, Cell::indrnn, ieee, 9, 34, 18, 0.0, 10}),
                    zoned({block, Cell::indrnn, ieee, 9, 34, 10}, 0.3, 0.0),
                    zoned({block, Cell::indrnn, bfloat16, 9, 34, 10, 0.4, 4}, 0.3, 0.0),
                    zoned({block, Cell::indrnn, float64, 3, 17, 10}, 0.3, 0.0, false)),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Zoneout, Persistent,
    testing::Values(zoned({block, Cell::lstm, ieee, 9, 17, 7}, 0.3, 0.5),
                    zoned({block, Cell::lstm, bfloat16, 9, 34, 7, 0.4, 3}, 0.3, 0.5),
                    zoned({block, Cell::gru, tf32, 9, 17, 7}, 0.3, 0.0),
                    zoned({block, Cell::rnn_tanh, float16, 3, 17, 7}, 0.3, 0.0, false),
                    zoned({cluster, Cell::lstm, bfloat16, 9, 34, 7, 0.0, 3}, 0.3, 0.5),
                    zoned({cluster, Cell::lstm, float16, 3, 34, 7}, 0.0, 0.5, false),
                    zoned({cluster, Cell::gru, float16, 9, 34, 7, 0.4}, 0.3, 0.0),
                    zoned({cluster, Cell::lstm_coupled, bfloat16, 3, 34, 7}, 0.3, 0.5),
                    zoned({cluster, Cell::gru, tf32, 3, 34, 7, 0.4}, 0.3, 0.0),
                    zoned({grid, Cell::lstm, bfloat16, 9, 34, 7, 0.0, 3}, 0.3, 0.5),
                    zoned({grid, Cell::lstm, float16, 9, 34, 3, 0.4}, 0.3, 0.5),
                    zoned({grid, Cell::lstm_peephole, ieee, 9, 34, 7}, 0.3, 0.5),
                    zoned({grid, Cell::lstm_peephole, bfloat16, 3, 34, 7}, 0.3, 0.5, false),
                    zoned({grid, Cell::gru, tf32, 3, 34, 7}, 0.3, 0.0)),
    name_of_case);

}  // namespace
}  // namespace sluice::test
