#include "host/data/distinct_tokens.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

using Tokens = std::vector<std::int32_t>;

TEST(DistinctTokens, RiseAndAreIndexedByEachPlace) {
  DistinctTokens found;
  DistinctFinder().find({7, 2, 7, 9, 2, 2}, {.vocabulary = 10}, found);
  EXPECT_EQ(found.tokens, (Tokens{2, 7, 9}));
  EXPECT_EQ(found.index, (Tokens{1, 0, 1, 2, 0, 0}));
}

TEST(DistinctTokens, ForgetTheBatchBefore) {
  DistinctFinder finder;
  DistinctTokens found;
  finder.find({7, 2, 7}, {.vocabulary = 10}, found);
  finder.find({0, 9}, {.vocabulary = 10}, found);
  EXPECT_EQ(found.tokens, (Tokens{0, 9}));
  EXPECT_EQ(found.index, (Tokens{0, 1}));
  finder.find({19, 0}, {.vocabulary = 20}, found);
  EXPECT_EQ(found.tokens, (Tokens{0, 19}));
}

TEST(DistinctTokens, ArePaddedToAMultiple) {
  DistinctFinder finder;
  DistinctTokens found;
  finder.find({5, 4, 3, 5}, {.vocabulary = 10, .multiple = 4}, found);
  EXPECT_EQ(found.tokens, (Tokens{3, 4, 5, -1}));
  finder.find({5, 4, 3, 1}, {.vocabulary = 10, .multiple = 4}, found);
  EXPECT_EQ(found.tokens, (Tokens{1, 3, 4, 5}));
}

TEST(DistinctTokens, RefuseOnesOutsideTheVocabulary) {
  DistinctFinder finder;
  DistinctTokens found;
  EXPECT_THROW(finder.find({1, 10}, {.vocabulary = 10}, found), Error);
  EXPECT_THROW(finder.find({1, -1}, {.vocabulary = 10}, found), Error);
  finder.find({1}, {.vocabulary = 10}, found);
  EXPECT_EQ(found.tokens, (Tokens{1}));
}

}  // namespace
}  // namespace sluice
