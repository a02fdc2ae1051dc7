// A queue's loops on the CPU: with a pool and without, denormal numbers count as zero while they
// run, and the caller's mode is as before when they end.
#include "kernels/device/parallel_for.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/kernels/test_device.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace sluice::test {
namespace {

// What the processor makes of a denormal operand, and of a denormal result.
float product(float a, float b) {
  const volatile float first = a, second = b;  // at run time
  return first * second;
}
bool flushes_operands() {
  return product(std::numeric_limits<float>::denorm_min(), 0x1p100f) == 0.0f;
}
bool flushes_results() { return product(std::numeric_limits<float>::min(), 0.5f) == 0.0f; }

class QueueLoops : public ::testing::TestWithParam<int> {
 protected:
  const TestDevice device_{DeviceKind::cpu, GetParam()};
};

TEST_P(QueueLoops, FlushDenormalsAndPutTheCallersModeBack) {
  ASSERT_FALSE(flushes_operands() || flushes_results()) << "the test's own mode";
  for (const std::int64_t count : {1, 7}) {
    std::vector<int> flushed(static_cast<std::size_t>(count));
    parallel_for(device_.queue(), count, [&](std::int64_t i) {
      flushed[static_cast<std::size_t>(i)] = flushes_operands() && flushes_results();
    });
    for (const int each : flushed) EXPECT_TRUE(each);
    EXPECT_FALSE(flushes_operands() || flushes_results()) << "after the loop";
  }
}

TEST_P(QueueLoops, PutTheCallersModeBackWhenABodyThrows) {
  EXPECT_THROW(
      parallel_for(device_.queue(), 3, [](std::int64_t) { throw std::runtime_error("no"); }),
      std::runtime_error);
  EXPECT_FALSE(flushes_operands() || flushes_results());
}

TEST_P(QueueLoops, FlushInsideALoopInsideALoop) {
  int inner = 0;
  bool after = false;
  parallel_for(device_.queue(), 1, [&](std::int64_t) {
    parallel_for(device_.queue(), 2,
                 [&](std::int64_t) { inner += flushes_operands() && flushes_results(); });
    after = flushes_operands() && flushes_results();
  });
  EXPECT_EQ(inner, 2);
  EXPECT_TRUE(after) << "the inner loop put back too much";
}

#if defined(__SSE2__)
TEST_P(QueueLoops, LeaveEveryBitOfTheCallersRegister) {
  const unsigned before = _mm_getcsr();
  for (const unsigned mode : {before, before | 0x8000u, before | 0x40u, before | _MM_ROUND_DOWN}) {
    _mm_setcsr(mode);
    parallel_for(device_.queue(), 5,
                 [](std::int64_t) { static_cast<void>(product(1.0f, 0x1p-140f)); });
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    EXPECT_EQ(after, mode);
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(All, QueueLoops, ::testing::Values(no_pool, 1, 2, 3),
                         [](const auto& threads) {
                           return threads.param == no_pool
                                      ? std::string("no_pool")
                                      : std::to_string(threads.param) + "_threads";
                         });

}  // namespace
}  // namespace sluice::test
