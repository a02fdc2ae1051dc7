#include "bench/measure/sampling.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "kernels/device/device.h"
#include "tests/kernels/test_device.h"

namespace sluice::bench {
namespace {

using test::TestDevice;

// Work on a device, which can go wrong at a pass.
class Subject {
 public:
  explicit Subject(const Queue& queue, std::int64_t fails_at = -1)
      : queue_(queue), fails_at_(fails_at), memory_(allocate(queue, kBytes)) {}
  ~Subject() { release(queue_, memory_); }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  Pass pass() {
    return [this](std::uint64_t pass) {
      ++runs;
      fill_zero(queue_, memory_, kBytes);
      if (fails_at_ >= 0 && pass >= static_cast<std::uint64_t>(fails_at_)) {
        throw std::runtime_error("pass " + std::to_string(pass));
      }
    };
  }
  int runs = 0;

 private:
  static constexpr std::size_t kBytes = 1 << 12;
  Queue queue_;
  std::int64_t fails_at_;
  void* memory_;
};

class Sampling : public testing::TestWithParam<DeviceKind> {
 protected:
  void SetUp() override {
    const std::string why = test::why_unavailable(GetParam());
    if (!why.empty()) GTEST_SKIP() << why;
    device = std::make_unique<TestDevice>(GetParam());
  }
  const Queue& queue() const { return device->queue(); }

  const SamplingOptions quick{.min_seconds = 1e-6, .repetitions = 4, .graphs = true};
  std::unique_ptr<TestDevice> device;
};

TEST_P(Sampling, EveryImplementationHasItsRepetitions) {
  Subject a(queue()), b(queue());
  const std::vector<Samples> found = sample(queue(), {a.pass(), b.pass()}, quick);
  ASSERT_EQ(found.size(), 2u);
  for (const Samples& each : found) {
    EXPECT_EQ(each.real.size(), 4u);
    EXPECT_EQ(each.cpu.size(), 4u);
    EXPECT_GE(each.iterations, 1);
    EXPECT_EQ(each.graph, GetParam() == DeviceKind::cuda);
    EXPECT_EQ(each.error, "");
  }
}

TEST_P(Sampling, OneThatThrowsLosesNoOther) {
  // At its first pass, while it warms up, and in its repetitions (graphs run no pass by then).
  SamplingOptions options = quick;
  options.graphs = false;
  for (const std::int64_t at : {0, 1, 2, 5, 8}) {
    SCOPED_TRACE(at);
    Subject first(queue()), bad(queue(), at), last(queue());
    const std::vector<Samples> found =
        sample(queue(), {first.pass(), bad.pass(), last.pass()}, options);
    EXPECT_EQ(found[0].real.size(), 4u);
    EXPECT_EQ(found[2].real.size(), 4u);
    EXPECT_EQ(found[0].error + found[2].error, "");
    EXPECT_TRUE(found[1].real.empty());
    EXPECT_TRUE(found[1].cpu.empty());
    EXPECT_EQ(found[1].error, "pass " + std::to_string(at));
    EXPECT_EQ(bad.runs, at + 1) << "it took part after its failure";
  }
}

TEST_P(Sampling, AllMayThrow) {
  Subject a(queue(), 0), b(queue(), 3);
  SamplingOptions options = quick;
  options.graphs = false;
  const std::vector<Samples> found = sample(queue(), {a.pass(), b.pass()}, options);
  EXPECT_EQ(found[0].error, "pass 0");
  EXPECT_EQ(found[1].error, "pass 3");
}

TEST_P(Sampling, WhatThrowsWhileItIsRecordedIsTimedWithoutAGraph) {
  Subject sound(queue()), other(queue());
  const Pass waits = [&, pass = other.pass()](std::uint64_t number) {
    pass(number);
    try {
      synchronize(queue());  // a recording ends here
    } catch (const std::exception&) {
      throw std::runtime_error("an exception of another library");
    }
  };
  const std::vector<Samples> found = sample(queue(), {waits, sound.pass()}, quick);
  EXPECT_EQ(found[0].error, "");
  EXPECT_EQ(found[0].real.size(), 4u);
  EXPECT_FALSE(found[0].graph);
  EXPECT_EQ(found[1].error, "");
  EXPECT_EQ(found[1].graph, GetParam() == DeviceKind::cuda);
}

INSTANTIATE_TEST_SUITE_P(Devices, Sampling, testing::Values(DeviceKind::cpu, DeviceKind::cuda),
                         [](const auto& one) { return test::name_of(one.param); });

}  // namespace
}  // namespace sluice::bench
