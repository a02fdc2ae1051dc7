#include "host/tasks/confusion.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Confusion, TwoClassesByHand) {
  Confusion confusion(2);
  for (int i = 0; i < 3; ++i) confusion.add(1, 1);
  confusion.add(0, 1);
  confusion.add(1, 0);
  confusion.add(1, 0);
  for (int i = 0; i < 4; ++i) confusion.add(0, 0);
  EXPECT_EQ(confusion.total(), 10);
  EXPECT_EQ(confusion.support(1), 5);
  EXPECT_EQ(confusion.predicted(1), 4);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.7);
  EXPECT_DOUBLE_EQ(confusion.precision(1), 3.0 / 4.0);
  EXPECT_DOUBLE_EQ(confusion.recall(1), 3.0 / 5.0);
  EXPECT_DOUBLE_EQ(confusion.f1(1), 6.0 / 9.0);
  EXPECT_EQ(confusion.counts(), (std::vector<std::vector<std::int64_t>>{{4, 1}, {2, 3}}));
}

TEST(Confusion, TheMacroF1IsTheMeanOverAllClasses) {
  Confusion confusion(3);
  confusion.add(0, 0);
  confusion.add(1, 0);
  confusion.add(1, 1);
  // F1: 2/3 for class 0, 2/3 for class 1, 0 for class 2, which never occurs.
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), 4.0 / 9.0);
}

TEST(Confusion, NothingCountedIsZero) {
  const Confusion confusion(2);
  EXPECT_EQ(confusion.accuracy(), 0.0);
  EXPECT_EQ(confusion.precision(0), 0.0);
  EXPECT_EQ(confusion.recall(0), 0.0);
  EXPECT_EQ(confusion.f1(0), 0.0);
  EXPECT_EQ(confusion.macro_f1(), 0.0);
}

TEST(Confusion, RefusesAClassThatThereIsNot) {
  Confusion confusion(2);
  EXPECT_THROW(confusion.add(2, 0), std::out_of_range);
  EXPECT_THROW(confusion.add(0, -1), std::out_of_range);
}

}  // namespace
}  // namespace sluice
