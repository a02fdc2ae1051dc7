// Work that is recorded and launched again, and streams that wait for each other.
#include "kernels/device/graph.h"

#include <vector>

#include "kernels/arrays/bias.h"
#include "kernels/arrays/gemm.h"
#include "kernels/device/side_stream.h"
#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class Graphs : public OnEachDevice {
 protected:
  void SetUp() override {
    OnEachDevice::SetUp();
    if (!IsSkipped() && !can_record(queue())) GTEST_SKIP() << "a CPU queue has nothing to record";
  }

  /// x += 1 for each of its four numbers, then y = [1 1] x as [2,2].
  void enqueue(const GuardedBuffer& x, const GuardedBuffer& ones, const GuardedBuffer& y) const {
    add_bias(queue(), {.rows = 1, .columns = 4, .x = x.data(), .ld = 4, .bias = ones.data()});
    gemm(queue(), {.m = 1,
                   .n = 2,
                   .k = 2,
                   .a = ones.data(),
                   .lda = 2,
                   .b = x.data(),
                   .ldb = 2,
                   .c = y.data(),
                   .ldc = 2});
  }
};

TEST_P(Graphs, RunNothingWhileTheyAreRecordedAndEverythingWhenTheyAreLaunched) {
  const GuardedBuffer x(queue(), std::vector<float>{0, 1, 2, 3}),
      ones(queue(), std::vector<float>(4, 1.0f));
  const GuardedBuffer y(queue(), std::vector<float>{-1, -1});
  begin_recording(queue());
  enqueue(x, ones, y);
  void* graph = nullptr;
  EXPECT_TRUE(end_recording(queue(), graph));
  EXPECT_EQ(y.get<float>(), (std::vector<float>{-1, -1}));
  for (int i = 1; i <= 3; ++i) {
    launch_graph(queue(), graph);
    EXPECT_EQ(x.get<float>(), (std::vector<float>{0.0f + i, 1.0f + i, 2.0f + i, 3.0f + i}));
    EXPECT_EQ(y.get<float>(), (std::vector<float>{2.0f + 2 * i, 4.0f + 2 * i}));
  }
  destroy_graph(graph);
}

TEST_P(Graphs, TakeOtherArgumentsOrOtherLaunches) {
  const GuardedBuffer x(queue(), std::vector<float>{0, 1, 2, 3}),
      ones(queue(), std::vector<float>(4, 1.0f));
  const GuardedBuffer y(queue(), std::vector<float>{-1, -1}),
      z(queue(), std::vector<float>{-2, -2});
  begin_recording(queue());
  enqueue(x, ones, y);
  void* graph = nullptr;
  EXPECT_TRUE(end_recording(queue(), graph));
  begin_recording(queue());
  enqueue(x, ones, z);  // alike, to another place
  EXPECT_FALSE(end_recording(queue(), graph));
  launch_graph(queue(), graph);
  EXPECT_EQ(y.get<float>(), (std::vector<float>{-1, -1}));
  EXPECT_EQ(z.get<float>(), (std::vector<float>{4, 6}));
  begin_recording(queue());
  enqueue(x, ones, z);
  enqueue(x, ones, y);  // more of them
  EXPECT_TRUE(end_recording(queue(), graph));
  launch_graph(queue(), graph);
  EXPECT_EQ(y.get<float>(), (std::vector<float>{8, 10}));
  destroy_graph(graph);
}

TEST_P(Graphs, WaitingWhileRecordingIsAnErrorAndLeavesTheQueueUsable) {
  const GuardedBuffer x(queue(), std::vector<float>{0, 1, 2, 3});
  begin_recording(queue());
  EXPECT_THROW(synchronize(queue()), Error);
  void* graph = nullptr;
  EXPECT_THROW(end_recording(queue(), graph), Error);
  EXPECT_EQ(graph, nullptr);
  EXPECT_EQ(x.get<float>(), (std::vector<float>{0, 1, 2, 3}));
  begin_recording(queue());
  drop_recording(queue());
  EXPECT_EQ(x.get<float>(), (std::vector<float>{0, 1, 2, 3}));
}

SLUICE_INSTANTIATE_ON_EACH_DEVICE(Graphs);

class SideStreams : public OnEachDevice {};

TEST_P(SideStreams, WaitForEventsOfTheQueue) {
  Queue side = create_side_queue(queue());
  void* const event = create_event(queue());
  const std::vector<float> numbers = random_numbers<float>(1 << 16);
  const GuardedBuffer from(queue(), numbers), to(queue(), numbers.size() * sizeof(float));
  const GuardedBuffer back(queue(), numbers.size() * sizeof(float));
  wait_for_event(side, event);  // never recorded: counts as having happened
  copy(side, to.data(), from.data(), to.bytes());
  record_event(side, event);
  wait_for_event(queue(), event);
  copy(queue(), back.data(), to.data(), to.bytes());
  EXPECT_EQ(back.get<float>(), numbers);
  synchronize_event(event);
  destroy_event(event);
  destroy_side_queue(side);
}

SLUICE_INSTANTIATE_ON_EACH_DEVICE(SideStreams);

TEST(GraphsOnTheCpu, AreRefusedByAUsageError) {
  const TestDevice cpu(DeviceKind::cpu);
  EXPECT_FALSE(can_record(cpu.queue()));
  EXPECT_THROW(begin_recording(cpu.queue()), Error);
}

}  // namespace
}  // namespace sluice::test
