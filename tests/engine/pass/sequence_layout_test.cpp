#include "engine/sequence_layout.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/kernels/test_device.h"

namespace sluice::test {
namespace {

using Integers = std::vector<std::int32_t>;

TEST(SequenceLayout, SortsByFallingLengthAndPacksTimeMajor) {
  const SequenceLayout layout(Integers{2, 4, 1, 4});
  EXPECT_EQ(layout.steps(), 4);
  EXPECT_EQ(layout.batch(), 4);
  EXPECT_EQ(layout.rows(), 11);
  EXPECT_EQ(layout.lengths(), (Integers{4, 4, 2, 1}));
  EXPECT_EQ(layout.order(), (Integers{1, 3, 0, 2})) << "equal lengths keep their order";
  EXPECT_EQ(layout.offsets(), (Integers{0, 4, 7, 9, 11}));

  const Sequences view = layout.host_view();
  EXPECT_FALSE(view.equal_lengths);
  EXPECT_FALSE(view.sorted_as_given);
  const Integers steps(view.step_of_row, view.step_of_row + view.rows);
  EXPECT_EQ(steps, (Integers{0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3}));
}

TEST(SequenceLayout, EqualLengthsAreThePlainArrangement) {
  const SequenceLayout layout = SequenceLayout::equal(3, 2);
  EXPECT_EQ(layout.order(), (Integers{0, 1}));
  EXPECT_EQ(layout.offsets(), (Integers{0, 2, 4, 6}));
  EXPECT_EQ(layout.rows(), 6);
  EXPECT_TRUE(layout.host_view().equal_lengths);
  EXPECT_TRUE(layout.host_view().sorted_as_given);
}

TEST(SequenceLayout, LengthsThatFallAlreadyStayInOrder) {
  const SequenceLayout layout(Integers{5, 3, 3, 1});
  EXPECT_TRUE(layout.host_view().sorted_as_given);
  EXPECT_FALSE(layout.host_view().equal_lengths);
}

TEST(SequenceLayout, OneRowOfOneStep) {
  const SequenceLayout layout(Integers{1});
  EXPECT_EQ(layout.rows(), 1);
  EXPECT_EQ(layout.offsets(), (Integers{0, 1}));
}

void expect_usage_error(const Integers& lengths, const std::string& mentions) {
  try {
    SequenceLayout layout(lengths);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find(mentions), std::string::npos) << error.what();
  }
}

TEST(SequenceLayout, RefusesEmptyRowsAndSaysWhich) {
  expect_usage_error({3, 0, 2}, "lengths[1]");
  expect_usage_error({3, 2, -7}, "-7");
  expect_usage_error({}, "lengths");
  EXPECT_THROW(SequenceLayout::equal(0, 2), Error);
  EXPECT_THROW(SequenceLayout::equal(2, 0), Error);
}

TEST(SequenceLayout, RefusesMoreRowsThanAnIntegerCounts) {
  expect_usage_error(Integers(3, 1000000000), "3000000000");
}

class SequenceLayoutUpload : public ::testing::TestWithParam<DeviceKind> {};

TEST_P(SequenceLayoutUpload, PutsTheSameArraysOnTheDevice) {
  if (const std::string why = why_unavailable(GetParam()); !why.empty()) GTEST_SKIP() << why;
  TestDevice device(GetParam());
  const SequenceLayout layout(Integers{2, 4, 1, 4});
  GuardedBuffer memory(device.queue(),
                       SequenceLayout::device_bytes(layout.rows(), layout.steps(), layout.batch()));
  const Sequences view = layout.upload(device.queue(), memory.data());
  EXPECT_TRUE(memory.guards_intact());
  const auto fetch = [&](const std::int32_t* from, std::size_t count) {
    Integers values(count);
    download(device.queue(), values.data(), from, count * sizeof(std::int32_t));
    synchronize(device.queue());
    return values;
  };
  EXPECT_EQ(fetch(view.offsets, 5), layout.offsets());
  EXPECT_EQ(fetch(view.lengths, 4), layout.lengths());
  EXPECT_EQ(fetch(view.order, 4), layout.order());
  EXPECT_EQ(fetch(view.step_of_row, 11), (Integers{0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(Integers(view.host_offsets, view.host_offsets + 5), layout.offsets());
}

INSTANTIATE_TEST_SUITE_P(All, SequenceLayoutUpload,
                         ::testing::Values(DeviceKind::cpu, DeviceKind::cuda),
                         [](const auto& test) { return name_of(test.param); });

}  // namespace
}  // namespace sluice::test
