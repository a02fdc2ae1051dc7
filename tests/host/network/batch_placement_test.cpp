#include "host/network/batch_placement.h"

#include <gtest/gtest.h>

#include <functional>

#include "host/device.h"

namespace sluice {
namespace {

using Put = std::function<void(BatchPlacement&)>;

std::vector<std::int64_t> signature_of(const Device& device, const Put& put) {
  BatchPlacement placement(device.queue());
  placement.reserve(1000);
  placement.begin();
  put(placement);
  placement.send();
  return placement.signature();
}

class BatchPlacementOnCpu : public testing::Test {
 protected:
  Device device_ = Device::open("cpu", 1);
  std::vector<std::int32_t> numbers_ = {1, 2, 3, 4};
};

TEST_F(BatchPlacementOnCpu, GivesTheBatchsOwnMemoryWithItsSizes) {
  const SequenceLayout layout({2, 3});
  PlacedNumbers placed;
  Sequences sequences;
  signature_of(device_, [&](BatchPlacement& placement) {
    sequences = placement.put(layout);
    placed = placement.put(numbers_);
    EXPECT_EQ(placement.bytes(), 0u);
  });
  EXPECT_EQ(placed.data, numbers_.data());
  EXPECT_EQ(placed.count, 4);
  EXPECT_EQ(sequences.rows, 5);
  EXPECT_EQ(sequences.lengths, layout.lengths().data());
}

TEST_F(BatchPlacementOnCpu, TakesFramesAndNumbersThatLaunchesGetAsTheyAre) {
  const std::vector<float> frames = {0.5f, 1.5f};
  const auto with = [&](std::int64_t number) {
    return signature_of(device_, [&](BatchPlacement& placement) {
      EXPECT_EQ(placement.put(frames).data, frames.data());
      EXPECT_EQ(placement.put(number), number);
    });
  };
  EXPECT_EQ(with(3), with(3));
  EXPECT_NE(with(3), with(4));
}

TEST_F(BatchPlacementOnCpu, TheSameThingsInTheSamePlaceHaveTheSameSignature) {
  const SequenceLayout layout({2, 3});
  const Put put = [&](BatchPlacement& placement) {
    placement.put(layout);
    placement.put(numbers_);
  };
  EXPECT_EQ(signature_of(device_, put), signature_of(device_, put));
}

TEST_F(BatchPlacementOnCpu, ADifferenceInAnythingThatWasPutChangesTheSignature) {
  const SequenceLayout layout({4, 2, 2});
  // Other steps of the same N, T and B: a GEMM of each step has another size.
  const SequenceLayout other_steps({4, 3, 1});
  const SequenceLayout other_order({2, 4, 2});
  const auto with = [&](const SequenceLayout& of, const std::vector<std::int32_t>& values) {
    return signature_of(device_, [&](BatchPlacement& placement) {
      placement.put(of);
      placement.put(values);
    });
  };
  const auto first = with(layout, numbers_);
  EXPECT_NE(first, with(other_steps, numbers_));
  EXPECT_NE(first, with(other_order, numbers_));
  const std::vector<std::int32_t> elsewhere = numbers_;
  EXPECT_NE(first, with(layout, elsewhere));
  const auto* address = numbers_.data();
  numbers_.pop_back();
  ASSERT_EQ(address, numbers_.data());
  EXPECT_NE(first, with(layout, numbers_));
  EXPECT_NE(first,
            signature_of(device_, [&](BatchPlacement& placement) { placement.put(layout); }));
}

TEST_F(BatchPlacementOnCpu, ABatchBeginsANewSignature) {
  BatchPlacement placement(device_.queue());
  std::vector<std::int64_t> signatures[2];
  for (auto& signature : signatures) {
    placement.begin();
    placement.put(numbers_);
    placement.send();
    signature = placement.signature();
  }
  EXPECT_EQ(signatures[0], signatures[1]);
}

}  // namespace
}  // namespace sluice
