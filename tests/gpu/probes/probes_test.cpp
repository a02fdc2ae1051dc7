// What the programs of tests/gpu would say if something were wrong: a wait that has no end, a case
// that has none, a value that is another one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/device/launch.h"
#include "kernels/time_loops/persistent/flags.h"
#include "tests/gpu/probes/device_timer.h"
#include "tests/gpu/probes/probe.h"
#include "tests/gpu/programs/device_pass.h"

namespace sluice::probes {
namespace {

/// Block 0 waits for a flag that block 1 raises to 2 and no further.
__global__ void waiting_kernel(unsigned* flags, unsigned wanted, Stuck* stuck) {
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 1) return cuda::raise_flag(flags + 1, 2);
  Patience patience(stuck, 1000000);
  for (unsigned round = 1; round <= wanted; ++round) {
    patience.wait_for_flag<true>(flags + 1, round, 1,
                                 [](unsigned* flag) { return cuda::read_flag(flag); });
  }
}

Stuck wait_for(unsigned wanted) {
  const Stream stream;
  const DeviceArray<unsigned> flags(2);
  const DeviceArray<Stuck> stuck(1);
  cuda::launch(waiting_kernel, {.grid = {2}, .block = {32}, .stream = stream, .cooperative = true},
               flags.data(), wanted, stuck.data());
  return stuck.get(stream)[0];
}

TEST(GpuProbes, AKernelThatWaitsInVainEndsAndSaysForWhom) {
  EXPECT_EQ(wait_for(2).count, 0u);
  const Stuck stuck = wait_for(4);
  EXPECT_EQ(stuck.count, 1u) << "having given up once it waits no more";
  EXPECT_EQ(stuck.block, 0u);
  EXPECT_EQ(stuck.waited_for, 1u);
  EXPECT_EQ(stuck.round, 3u);
}

/// A probe of one case, in a process of its own; what it prints goes to its standard error.
[[noreturn]] void run_alone(const std::function<void(Finding&)>& work) {
  dup2(STDERR_FILENO, STDOUT_FILENO);
  char name[] = "probe";
  char* arguments[] = {name};
  std::exit(run_probe(1, arguments, {"test", "a test", {{"test/case", work}}, 1}));
}

TEST(GpuProbes, ACaseWithoutAnEndEndsTheProcess) {
  const auto never = [](Finding&) {
    for (;;) pause();
  };
  EXPECT_EXIT(run_alone(never), testing::ExitedWithCode(3),
              "\"begin\": \"test/case\".*\"case\": \"test/case\", \"result\": \"failed\".*no end "
              "within 1 s.*"
              "\"broken\": true, \"end\": true");
}

TEST(GpuProbes, WhatACaseFindsIsPrintedAndDecidesTheExitCode) {
  EXPECT_EXIT(run_alone([](Finding& finding) { finding.add("us_per_round", 1.5); }),
              testing::ExitedWithCode(0),
              "\"result\": \"passed\".*\"values\": \\{\"us_per_round\": 1.5\\}, \"end\": true");
  EXPECT_EXIT(run_alone([](Finding& finding) { finding.failed = "wrong sums"; }),
              testing::ExitedWithCode(1), "\"result\": \"failed\", \"detail\": \"wrong sums\"");
  EXPECT_EXIT(run_alone([](Finding&) { throw Error::runtime("no memory"); }),
              testing::ExitedWithCode(1), "\"result\": \"failed\", \"detail\": \"no memory\"");
  EXPECT_EXIT(run_alone([](Finding& finding) { finding.skipped = "no clusters"; }),
              testing::ExitedWithCode(0), "\"result\": \"skipped\", \"detail\": \"no clusters\"");
}

TEST(GpuProbes, ALineThroughTimesGivesLatencyAndRate) {
  const Line line = fitted_line({2048, 4096, 8192}, {400 + 32, 400 + 64, 400 + 128});
  EXPECT_NEAR(line.latency, 400.0, 1e-9);
  EXPECT_NEAR(line.rate, 64.0, 1e-9);
  EXPECT_EQ(median({5, 1, 3}), 3);
}

}  // namespace
}  // namespace sluice::probes

namespace sluice::test {
namespace {

std::vector<unsigned char> bytes_of(const std::vector<float>& numbers) {
  std::vector<unsigned char> bytes(numbers.size() * sizeof(float));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

TEST(GpuComparison, SeesOneNumberThatIsAway) {
  std::vector<float> numbers(1000, 0.5f);
  const std::vector<unsigned char> expected = bytes_of(numbers);
  EXPECT_EQ(difference(DataType::float32, expected, expected).largest, 0.0);
  numbers[777] = 0.75f;
  const Difference apart = difference(DataType::float32, bytes_of(numbers), expected);
  EXPECT_DOUBLE_EQ(apart.largest, 0.5);
  EXPECT_NEAR(apart.mean, 0.5 / std::sqrt(1000.0), 1e-9);
  numbers[777] = NAN;
  EXPECT_FALSE(difference(DataType::float32, bytes_of(numbers), expected).largest <= 1e9);
  numbers.pop_back();
  EXPECT_FALSE(difference(DataType::float32, bytes_of(numbers), expected).largest <= 1e9);
}

TEST(GpuComparison, AnyBitChangesTheHash) {
  const std::vector<unsigned char> bytes(77, 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::vector<unsigned char> other = bytes;
    other[i] ^= 0x40;
    EXPECT_NE(hash_of(other), hash_of(bytes)) << i;
    EXPECT_EQ(other_bits({{"y", bytes}, {"dx", other}}, {{"y", bytes}, {"dx", bytes}}), "dx");
  }
  EXPECT_NE(hash_of(std::vector<unsigned char>(78, 3)), hash_of(bytes));
}

/// An implementation that is wrong in one place of one row, or everywhere by a little, is not
/// allowed.
TEST(GpuComparison, WhatIsAllowedIsLessThanAFault) {
  for (const DataType type : {DataType::bfloat16, DataType::float16, DataType::float32}) {
    EXPECT_LT(allowed_difference(type, MatrixMath::ieee, 2048), 0.1);
    EXPECT_LT(allowed_mean_difference(type, MatrixMath::ieee, 2048), 0.01);
  }
  EXPECT_LT(allowed_difference(DataType::float32, MatrixMath::ieee, 48000), 3e-4);
  EXPECT_LT(allowed_difference(DataType::float32, MatrixMath::tf32, 48000), 0.01);
}

}  // namespace
}  // namespace sluice::test
