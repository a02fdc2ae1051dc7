#include "host/tasks/tagging/builtin_sentences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TEST(BuiltinSentences, EachTokenHasALabelAndASentenceDependsOnItsNumberAlone) {
  const ExampleSet set = builtin_sentences({.count = 200, .seed = 3});
  EXPECT_EQ(set.targets, TargetKind::step);
  EXPECT_EQ(set.input, InputKind::tokens);
  std::set<std::string> labels;
  for (const Example& example : set.examples) {
    ASSERT_EQ(example.tokens.size(), example.labels.size());
    EXPECT_EQ(example.tokens.back(), ".");
    labels.insert(example.labels.begin(), example.labels.end());
  }
  EXPECT_EQ(labels, (std::set<std::string>{"FILM", "O", "PERSON", "PLACE"}));
  const ExampleSet fewer = builtin_sentences({.count = 20, .seed = 3});
  EXPECT_EQ(fewer.examples[19].tokens, set.examples[19].tokens);
  EXPECT_NE(builtin_sentences({.count = 1, .seed = 4}).examples[0].tokens, set.examples[0].tokens);
}

TEST(BuiltinSentences, HaveAboutAsManyWordsAsAskedFor) {
  std::set<std::string> words;
  for (const Example& example : builtin_sentences({.count = 5000, .words = 150}).examples) {
    words.insert(example.tokens.begin(), example.tokens.end());
  }
  EXPECT_EQ(words.size(), 150u);
}

TEST(BuiltinSentences, ANamesLabelCannotBeToldFromTheNameAlone) {
  std::map<std::string, std::map<std::string, int>> counts;
  for (const Example& example : builtin_sentences({.count = 5000, .words = 150}).examples) {
    for (std::size_t t = 0; t < example.tokens.size(); ++t) {
      if (example.labels[t] != "O") ++counts[example.tokens[t]][example.labels[t]];
    }
  }
  int names = 0, best = 0;  // guessing each name's most frequent label
  for (const auto& [name, of_name] : counts) {
    int most = 0;
    for (const auto& [label, count] : of_name) {
      names += count;
      most = std::max(most, count);
    }
    best += most;
    EXPECT_EQ(of_name.size(), 3u) << name;
  }
  EXPECT_LT(best, names * 0.5);
}

TEST(BuiltinSentences, OptionsOutOfRangeAreNamed) {
  EXPECT_THROW(builtin_sentences({.count = 0}), Error);
  try {
    builtin_sentences({.words = 40});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("words"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sluice
