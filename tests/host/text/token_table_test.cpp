#include "host/text/token_table.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TokenTable, NumbersTokensInOrderOfFirstSight) {
  TokenTable table;
  EXPECT_EQ(table.find("film"), TokenTable::absent);
  EXPECT_EQ(table.add("film"), 0);
  EXPECT_EQ(table.add("good"), 1);
  EXPECT_EQ(table.add("film"), 0);
  EXPECT_EQ(table.add(""), 2);
  EXPECT_EQ(table.size(), 3);
  EXPECT_EQ(table.token(1), "good");
  EXPECT_EQ(table.find("fil"), TokenTable::absent);
}

TEST(TokenTable, KeepsEveryTokenWhileItGrowsAndIsCopied) {
  TokenTable table;
  constexpr int count = 50'000;
  for (int i = 0; i < count; ++i) ASSERT_EQ(table.add("word" + std::to_string(i)), i);
  const TokenTable copy = table;
  table = TokenTable();
  for (int i = 0; i < count; ++i) {
    const std::string token = "word" + std::to_string(i);
    ASSERT_EQ(copy.find(token), i);
    ASSERT_EQ(copy.token(i), token);
  }
  EXPECT_EQ(table.find("word1"), TokenTable::absent);
}

}  // namespace
}  // namespace sluice
