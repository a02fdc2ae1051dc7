#include "host/data/labels.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

using Names = std::vector<std::string>;

ExampleSet labelled(const Names& labels) {
  ExampleSet set;
  set.files.push_back("data.csv");
  for (const std::string& label : labels) {
    set.examples.push_back({"text", label, 0, static_cast<std::int64_t>(set.examples.size()) + 2});
  }
  return set;
}

TEST(LabelSet, OrdersIntegersByValueAndOthersByBytes) {
  EXPECT_EQ(LabelSet::collect(labelled({"10", "9", "-1", "9", "+2"})).names(),
            (Names{"-1", "+2", "9", "10"}));
  EXPECT_EQ(LabelSet::collect(labelled({"pos", "neg", "pos"})).names(), (Names{"neg", "pos"}));
  EXPECT_EQ(LabelSet::collect(labelled({"10", "9", "x"})).names(), (Names{"10", "9", "x"}));
  EXPECT_EQ(LabelSet::collect(labelled({"1.5", "0.5"})).names(), (Names{"0.5", "1.5"}));
}

TEST(LabelSet, GivesIndicesBothWays) {
  const LabelSet labels({"positive", "negative", "mixed"});
  EXPECT_EQ(labels.size(), 3);
  for (std::int32_t i = 0; i < 3; ++i) EXPECT_EQ(labels.find(labels.name(i)), i);
  EXPECT_EQ(labels.find("neutral"), -1);
  EXPECT_EQ(labels.find(""), -1);
  EXPECT_EQ(labels.indices(labelled({"mixed", "positive", "mixed"})),
            (std::vector<std::int32_t>{2, 0, 2}));
}

TEST(LabelSet, NamesAnUnknownLabelWithItsPlace) {
  const LabelSet labels({"neg", "pos"});
  try {
    labels.indices(labelled({"pos", "neg", "meh", "pos"}));
    FAIL() << "took an unknown label";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_STREQ(error.what(), "data.csv:4: unknown label 'meh'; the model knows 'neg', 'pos'");
  }
}

TEST(LabelSet, CountsStepsWhereTheyHaveLabels) {
  ExampleSet set;
  set.input = InputKind::tokens;
  set.targets = TargetKind::step;
  set.files.push_back("data.conll");
  set.examples.resize(2);
  set.examples[0].labels = {"O", "B", "O"};
  set.examples[1].labels = {"I"};
  set.examples[1].line = 5;
  EXPECT_EQ(LabelSet::collect(set).names(), (Names{"B", "I", "O"}));
  EXPECT_EQ(LabelSet({"O", "I", "B"}).indices(set), (std::vector<std::int32_t>{0, 2, 0, 1}));
  try {
    LabelSet({"O", "B"}).indices(set);
    FAIL() << "took an unknown label";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "data.conll:5: unknown label 'I' of step 1; the model knows 'O', 'B'");
  }
  set.targets = TargetKind::none;
  EXPECT_TRUE(LabelSet().indices(set).empty());
  EXPECT_THROW(LabelSet::collect(set), Error);

  set.targets = TargetKind::step;
  set.examples[0].labels = Names(500, "O");
  for (int i = 0; i < 240; ++i) set.examples[1].labels.push_back(std::to_string(i));
  EXPECT_EQ(LabelSet::collect(set).size(), 242);
  for (int i = 0; i < 600; ++i) set.examples[1].labels.push_back("word " + std::to_string(i));
  EXPECT_THROW(LabelSet::collect(set), Error);  // the columns' order is another one
}

TEST(LabelSet, RefusesWhatCannotBeClasses) {
  EXPECT_THROW(LabelSet::collect(labelled({})), Error);
  EXPECT_THROW(LabelSet::collect(labelled({"1", "1"})), Error);
  EXPECT_THROW(LabelSet(Names{"a", "b", "a"}), Error);
  EXPECT_THROW(LabelSet(Names{"a", ""}), Error);
  Names all_different;
  for (int i = 0; i < 200; ++i) all_different.push_back("row " + std::to_string(i));
  EXPECT_THROW(LabelSet::collect(labelled(all_different)), Error);
}

}  // namespace
}  // namespace sluice
