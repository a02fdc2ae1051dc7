#include "host/data/random_sequence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

// Random123's known answer for a zero counter and a zero key.
TEST(RandomSequence, BeginsWithPhiloxsKnownAnswer) {
  RandomSequence random(0, 0);
  EXPECT_EQ(random.next(), 0x6627E8D5u);
  EXPECT_EQ(random.next(), 0xE169C58Du);
  EXPECT_EQ(random.next(), 0xBC57AC4Cu);
  EXPECT_EQ(random.next(), 0x9B00DBD8u);
}

TEST(RandomSequence, SeedStreamAndItemEachMatter) {
  const std::uint32_t first = RandomSequence(1, 1, 1).next();
  EXPECT_EQ(RandomSequence(1, 1, 1).next(), first);
  EXPECT_NE(RandomSequence(2, 1, 1).next(), first);
  EXPECT_NE(RandomSequence(std::uint64_t{1} << 32 | 1, 1, 1).next(), first);
  EXPECT_NE(RandomSequence(1, 2, 1).next(), first);
  EXPECT_NE(RandomSequence(1, 1, 2).next(), first);
}

TEST(RandomSequence, BelowIsUniform) {
  RandomSequence random(3, 0);
  constexpr std::uint32_t bound = 7;
  constexpr int draws = 70'000;
  std::vector<int> seen(bound);
  for (int i = 0; i < draws; ++i) ++seen.at(random.below(bound));
  double chi_squared = 0.0;
  for (const int count : seen) chi_squared += std::pow(count - 10'000.0, 2) / 10'000.0;
  EXPECT_LT(chi_squared, 22.5);  // 6 degrees of freedom: exceeded once in a thousand seeds
  EXPECT_EQ(random.below(1), 0u);
}

TEST(RandomSequence, ShufflePermutes) {
  std::vector<int> values(1000);
  std::iota(values.begin(), values.end(), 0);
  const std::vector<int> sorted = values;
  RandomSequence(1, 0).shuffle(values);
  std::vector<int> again = sorted;
  RandomSequence(1, 0).shuffle(again);
  EXPECT_EQ(values, again);
  EXPECT_NE(values, sorted);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, sorted);
}

// A shuffle's bits belong to every saved run: they must never change.
TEST(RandomSequence, ShuffleKeepsItsBits) {
  std::vector<int> values{0, 1, 2, 3, 4, 5, 6, 7};
  RandomSequence(1, random_stream::shuffle, 5).shuffle(values);
  EXPECT_EQ(values, (std::vector<int>{3, 5, 1, 0, 7, 6, 2, 4}));
}

}  // namespace
}  // namespace sluice
