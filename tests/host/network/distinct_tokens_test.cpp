#include "host/network/distinct_tokens.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

using Tokens = std::vector<std::int32_t>;

TEST(DistinctTokens, RiseAndAreIndexedByEachPlace) {
  DistinctTokens distinct(10);
  distinct.find({7, 2, 7, 9, 2, 2});
  EXPECT_EQ(distinct.tokens(), (Tokens{2, 7, 9}));
  EXPECT_EQ(distinct.index(), (Tokens{1, 0, 1, 2, 0, 0}));
}

TEST(DistinctTokens, ForgetTheBatchBefore) {
  DistinctTokens distinct(10);
  distinct.find({7, 2, 7});
  distinct.find({0, 9});
  EXPECT_EQ(distinct.tokens(), (Tokens{0, 9}));
  EXPECT_EQ(distinct.index(), (Tokens{0, 1}));
}

TEST(DistinctTokens, ArePaddedToAMultiple) {
  DistinctTokens distinct(10);
  distinct.find({5, 4, 3, 5}, 4);
  EXPECT_EQ(distinct.tokens(), (Tokens{3, 4, 5, -1}));
  distinct.find({5, 4, 3, 1}, 4);
  EXPECT_EQ(distinct.tokens(), (Tokens{1, 3, 4, 5}));
}

TEST(DistinctTokens, RefuseOnesOutsideTheVocabulary) {
  DistinctTokens distinct(10);
  EXPECT_THROW(distinct.find({1, 10}), Error);
  EXPECT_THROW(distinct.find({1, -1}), Error);
  distinct.find({1});
  EXPECT_EQ(distinct.tokens(), (Tokens{1}));
}

}  // namespace
}  // namespace sluice
