#include "host/data/invented_words.h"

#include <string>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(InventedWords, AreAllDifferent) {
  std::unordered_set<std::string> seen;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(seen.insert(invented_word(i)).second) << i;
  }
  for (std::uint32_t i = max_invented_words - 100'000; i < max_invented_words; ++i) {
    ASSERT_TRUE(seen.insert(invented_word(i)).second) << i;
  }
}

TEST(InventedWords, FollowZipfsLawByOctaves) {
  RandomSequence random(1, 0);
  constexpr int draws = 70'000;
  std::vector<int> octaves(7);  // of 100: 1, 2-3, 4-7, 8-15, 16-31, 32-63, 64-100
  for (int i = 0; i < draws; ++i) {
    const std::uint32_t drawn = draw_by_zipf(random, 100);
    ASSERT_LT(drawn, 100u);
    std::size_t octave = 0;
    while ((drawn + 1) >> (octave + 1) != 0) ++octave;
    ++octaves.at(octave);
  }
  for (const int count : octaves) EXPECT_NEAR(count, draws / 7, 500);
  EXPECT_EQ(draw_by_zipf(random, 1), 0u);
}

}  // namespace
}  // namespace sluice
