#include "host/data/word_dropout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/text/vocabulary.h"

namespace sluice {
namespace {

TEST(WordDropout, ReplacesAboutThatPartOfTheWords) {
  std::vector<std::int32_t> tokens(10'003, 7);
  drop_words(tokens, 0.3, 1, 0);
  const auto dropped = std::count(tokens.begin(), tokens.end(), Vocabulary::unknown);
  EXPECT_NEAR(static_cast<double>(dropped), 3000.0, 200.0);
  EXPECT_EQ(dropped + std::count(tokens.begin(), tokens.end(), 7), 10'003);
}

TEST(WordDropout, IsAFunctionOfSeedStepAndPosition) {
  std::vector<std::int32_t> a(1000, 7), b = a, other_step = a, shorter(500, 9);
  drop_words(a, 0.5, 1, 3);
  drop_words(b, 0.5, 1, 3);
  drop_words(other_step, 0.5, 1, 4);
  drop_words(shorter, 0.5, 1, 3);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, other_step);
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    EXPECT_EQ(a[i] == Vocabulary::unknown, shorter[i] == Vocabulary::unknown);
  }
}

TEST(WordDropout, LeavesPaddingAndRateZeroAlone) {
  std::vector<std::int32_t> padding(100, Vocabulary::padding), words(100, 5);
  drop_words(padding, 0.9, 1, 0);
  drop_words(words, 0.0, 1, 0);
  EXPECT_EQ(padding, std::vector<std::int32_t>(100, Vocabulary::padding));
  EXPECT_EQ(words, std::vector<std::int32_t>(100, 5));
}

}  // namespace
}  // namespace sluice
