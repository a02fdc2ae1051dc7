// cuDNN as a peer of sluice-bench: what it computes is what Sluice computes, in every number type,
// or it says why not. Also run against the imagined cuDNN of tests/cuda_on_cpu/.
#include "bench/peers/cudnn_layer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "bench/layers/output_comparison.h"
#include "bench/layers/random_numbers.h"
#include "bench/peers/sluice_layer.h"
#include "kernels/base/error.h"
#include "kernels/cudnn/cudnn.h"
#include "tests/kernels/test_device.h"

namespace sluice::bench {
namespace {

struct Numbers {
  DataType type;
  MatrixMath math;
};
constexpr Numbers all_numbers[] = {{DataType::float32, MatrixMath::ieee},
                                   {DataType::float32, MatrixMath::tf32},
                                   {DataType::bfloat16, MatrixMath::ieee},
                                   {DataType::float16, MatrixMath::ieee}};

LayerProblem problem_of(const Numbers& numbers, bool ragged, std::int64_t hidden = 16) {
  LayerProblem problem;
  problem.config = {.cell = Cell::lstm,
                    .data_type = numbers.type,
                    .math = numbers.math,
                    .input_size = hidden,
                    .hidden_size = hidden};
  problem.steps = 5;
  problem.batch = 4;
  if (ragged) problem.lengths = {3, 5, 1, 5};
  problem.training = true;
  return problem;
}

class CudnnPeer : public ::testing::TestWithParam<std::tuple<Numbers, std::string>> {
 protected:
  void SetUp() override {
    const std::string why = test::why_unavailable(DeviceKind::cuda);
    const std::string& reason = why.empty() ? cudnn_presence().problem : why;
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
};

std::vector<NamedOutput> outputs_of(const LayerPeer& peer, const Queue& queue,
                                    const LayerProblem& problem) {
  InputRing ring(queue, 0);
  ring.reserve(problem.config.data_type, problem.rows() * problem.config.hidden_size);
  const auto scale =
      static_cast<float>(1.0 / std::sqrt(static_cast<double>(problem.config.hidden_size)));
  const std::vector<float> parameters = random_numbers(
      Stream::parameters, parameter_count(recurrent_parameters(problem.config)), scale);
  return peer.prepare(problem, parameters, ring)->outputs();
}

TEST_P(CudnnPeer, ComputesWhatSluiceComputes) {
  const auto& [numbers, algorithm] = GetParam();
  const test::TestDevice device(DeviceKind::cuda);
  const auto ours = sluice_peer(device.queue(), "stepwise");
  const auto theirs = cudnn_peer(device.queue(), algorithm);
  ASSERT_EQ(theirs->absent, "");
  for (const bool training : {false, true}) {
    LayerProblem problem = problem_of(numbers, false);
    problem.training = training;
    const std::vector<NamedOutput> expected = outputs_of(*ours, device.queue(), problem);
    EXPECT_EQ(expected.size(), training ? 6u : 1u);  // y, dx, four parameters
    try {
      const Difference largest =
          largest_difference(outputs_of(*theirs, device.queue(), problem), expected);
      EXPECT_LE(largest.relative, allowed_difference(problem.config)) << largest.output;
      EXPECT_GE(largest.relative, 0.0);
    } catch (const Refusal& refusal) {
      EXPECT_NE(algorithm, "standard") << refusal.what();
      EXPECT_NE(std::string(refusal.what()).find("CUDNN_STATUS"), std::string::npos)
          << refusal.what();
    }
  }
}

TEST_P(CudnnPeer, RowsOfDifferentLengthsAreComputedOrRefused) {
  const auto& [numbers, algorithm] = GetParam();
  const test::TestDevice device(DeviceKind::cuda);
  const LayerProblem problem = problem_of(numbers, true);
  const auto theirs = cudnn_peer(device.queue(), algorithm);
  try {
    const std::vector<NamedOutput> got = outputs_of(*theirs, device.queue(), problem);
    const auto ours = sluice_peer(device.queue(), "stepwise");
    const Difference largest = largest_difference(got, outputs_of(*ours, device.queue(), problem));
    EXPECT_LE(largest.relative, allowed_difference(problem.config)) << largest.output;
  } catch (const Error& error) {
    EXPECT_NE(algorithm, "standard") << error.what();
    EXPECT_NE(std::string(error.what()).find(algorithm), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("different lengths"), std::string::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(cuda, CudnnPeer,
                         ::testing::Combine(::testing::ValuesIn(all_numbers),
                                            ::testing::ValuesIn(cudnn_algorithms())),
                         [](const auto& test) {
                           RecurrentConfig config;
                           config.data_type = std::get<0>(test.param).type;
                           config.math = std::get<0>(test.param).math;
                           return std::string(number_name(config)) + "_" + std::get<1>(test.param);
                         });

TEST(CudnnPeerByName, HasNoAlgorithmOfAnotherName) {
  EXPECT_THROW(cudnn_peer({}, "fastest"), Error);
}

TEST(CudnnPeerByName, IsAbsentOnTheCpu) {
  EXPECT_NE(cudnn_peer({}, "standard")->absent.find("CUDA device"), std::string::npos);
}

}  // namespace
}  // namespace sluice::bench
