// The model beside the project's table of floors for an H200, in milliseconds. DeepBench's rows
// leave the input product out. The table was made with other divisions of the grid, hence the
// factor.
#include "bench/limits/gpu_limit.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

struct Row {
  Cell cell;
  std::int32_t steps, batch;
  std::int64_t input, hidden;
  double forward, backward;
};

LayerProblem problem_of(const Row& row) {
  LayerProblem problem;
  problem.config = {.cell = row.cell,
                    .data_type = DataType::bfloat16,
                    .input_size = row.input,
                    .hidden_size = row.hidden};
  problem.steps = row.steps;
  problem.batch = row.batch;
  return problem;
}

TEST(GpuLimit, FloorsOfTheTable) {
  constexpr double kFactor = 1.35;
  const Row rows[] = {{Cell::lstm, 512, 64, 512, 512, 0.22, 0.40},
                      {Cell::lstm, 1024, 16, 768, 768, 0.71, 1.06},
                      {Cell::lstm, 400, 256, 128, 64, 0.067, 0.10}};
  for (const Row& row : rows) {
    const LayerProblem problem = problem_of(row);
    const double forward = gpu_forward_limit(problem, h200_peaks(GpuMath::half)) * 1e3;
    const double backward = gpu_backward_limit(problem, h200_peaks(GpuMath::half)) * 1e3;
    EXPECT_GT(forward, row.forward / kFactor) << problem.name();
    EXPECT_LT(forward, row.forward * kFactor) << problem.name();
    EXPECT_GT(backward, row.backward / kFactor) << problem.name();
    EXPECT_LT(backward, row.backward * kFactor) << problem.name();
  }
}

TEST(GpuLimit, GrowsWithTheWork) {
  LayerProblem problem = problem_of({Cell::lstm, 100, 16, 512, 512, 0, 0});
  const GpuPeaks peaks = h200_peaks(GpuMath::half);
  const double one = gpu_limit(problem, peaks);
  problem.steps = 200;
  EXPECT_NEAR(gpu_limit(problem, peaks), 2 * one, 1e-9);
  problem.training = true;
  EXPECT_GT(gpu_limit(problem, peaks), 4 * one);
  EXPECT_GT(gpu_limit(problem, h200_peaks(GpuMath::float32)), gpu_limit(problem, peaks));
}

}  // namespace
}  // namespace sluice::bench
