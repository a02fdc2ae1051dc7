#include "host/data/builtin_reviews.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "host/data/dataset.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

using Words = std::set<std::string, std::less<>>;

const Words praise{"superb", "great",      "wonderful", "brilliant", "charming", "excellent",
                   "moving", "delightful", "gripping",  "fresh",     "clever",   "splendid"};
const Words blame{"awful",    "dull",   "terrible", "tedious", "clumsy", "dreadful",
                  "lifeless", "boring", "annoying", "stale",   "silly",  "poor"};

/// Bag of words: logistic regression on the counts, by gradient descent over the whole training
/// set. Gives the accuracy on `test`.
double bag_of_words_accuracy(const ExampleSet& training, const ExampleSet& test) {
  const LabelSet labels = LabelSet::collect(training);
  const Vocabulary vocabulary(count_tokens(training, {}), {});
  const EncodeOptions whole{.max_length = 0};
  const Dataset learn = encode_examples(training, labels, {}, vocabulary, whole);
  const Dataset check = encode_examples(test, labels, {}, vocabulary, whole);
  std::vector<double> weight(static_cast<std::size_t>(vocabulary.size()));
  double bias = 0.0;
  const auto logit = [&](const Dataset& data, std::int32_t row) {
    double sum = bias;
    for (const std::int32_t id : data.row(row)) sum += weight[static_cast<std::size_t>(id)];
    return sum;
  };
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (std::int32_t row = 0; row < learn.size(); ++row) {
      const double label = learn.labels[static_cast<std::size_t>(row)];
      const double step = 0.02 * (label - 1.0 / (1.0 + std::exp(-logit(learn, row))));
      for (const std::int32_t id : learn.row(row)) weight[static_cast<std::size_t>(id)] += step;
      bias += step;
    }
  }
  int correct = 0;
  for (std::int32_t row = 0; row < check.size(); ++row) {
    correct += (logit(check, row) > 0.0) == (check.labels[static_cast<std::size_t>(row)] == 1);
  }
  return static_cast<double>(correct) / check.size();
}

TEST(BuiltinReviews, AreAFunctionOfTheirOptions) {
  const BuiltinReviewsOptions options{.count = 300};
  const ExampleSet set = builtin_reviews(options);
  const ExampleSet again = builtin_reviews({.count = 200});
  const ExampleSet other = builtin_reviews({.count = 200, .seed = 2});
  int different = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(set.examples[i].text, again.examples[i].text);
    different += set.examples[i].text != other.examples[i].text;
    EXPECT_EQ(set.examples[i].label, i % 2 == 1 ? "positive" : "negative");
  }
  EXPECT_GT(different, 195);
  EXPECT_EQ(set.location(0), "built-in reviews:1");
}

// The bits are part of what a seed means.
TEST(BuiltinReviews, KeepTheirText) {
  EXPECT_EQ(builtin_reviews({.count = 2}).examples[1].text,
            "I watched it again with my cousin. The direction was tedious. Overall, the acting was "
            "not lifeless. Our dinner was rather annoying. We saw it.");
  EXPECT_EQ(builtin_reviews({.task = BuiltinTask::long_memory, .count = 1, .distance_max = 12})
                .examples[0]
                .text,
            "The film was clumsy. A friend of mine watched it.");
}

TEST(BuiltinReviews, LookLikeEnglish) {
  for (const BuiltinTask task : {BuiltinTask::contrast, BuiltinTask::long_memory}) {
    for (const Example& example : builtin_reviews({.task = task, .count = 2000}).examples) {
      const std::string& text = example.text;
      ASSERT_TRUE(text[0] >= 'A' && text[0] <= 'Z') << text;
      for (const char* fault : {"  ", " ,", " .", "..", ",,", ".,", ",."}) {
        ASSERT_EQ(text.find(fault), std::string::npos) << text;
      }
    }
  }
}

TEST(BuiltinReviews, HaveAboutTheVocabularyAskedFor) {
  for (const std::int32_t size : {300, 2000}) {
    const ExampleSet set = builtin_reviews({.count = 20'000, .vocabulary = size});
    EXPECT_NEAR(count_tokens(set, {}).distinct(), size, 0.1 * size);
  }
  const ExampleSet large = builtin_reviews({.count = 20'000, .vocabulary = 1'000'000});
  EXPECT_GT(count_tokens(large, {}).distinct(), 8'000);
}

TEST(BuiltinReviews, LongMemoryDecidesExactlyAtTheDistance) {
  Tokenizer tokenizer;
  for (const std::int32_t distance : {0, 1, 2, 3, 4, 5, 6, 13, 50, 200}) {
    const ExampleSet set = builtin_reviews({.task = BuiltinTask::long_memory,
                                            .count = 200,
                                            .distance_min = distance,
                                            .distance_max = distance});
    for (const Example& example : set.examples) {
      const std::vector<std::string_view>& tokens = tokenizer.split(example.text);
      ASSERT_EQ(tokens.size(), static_cast<std::size_t>(4 + distance)) << example.text;
      const Words& kind = example.label == "positive" ? praise : blame;
      ASSERT_TRUE(kind.contains(tokens[3])) << example.text;
      for (std::size_t i = 4; i < tokens.size(); ++i) {
        ASSERT_FALSE(praise.contains(tokens[i]) || blame.contains(tokens[i])) << example.text;
      }
    }
  }
}

// At distance 0 the deciding clause is the last: its adjective, and whether it is negated, give the
// label.
TEST(BuiltinReviews, ContrastIsDecidedByItsMainClause) {
  const Words negations{"not", "never", "hardly", "means", "from"};
  Tokenizer tokenizer;
  for (const Example& example : builtin_reviews({.count = 2000, .distance_max = 0}).examples) {
    const std::vector<std::string_view>& tokens = tokenizer.split(example.text);
    const std::string_view last = tokens.back();
    const bool praised = praise.contains(last);
    ASSERT_TRUE(praised || blame.contains(last)) << example.text;
    const bool negated = negations.contains(tokens[tokens.size() - 2]);
    ASSERT_EQ(praised != negated, example.label == "positive") << example.text;
  }
}

TEST(BuiltinReviews, ABagOfWordsFails) {
  const double accuracy = bag_of_words_accuracy(builtin_reviews({.count = 4000, .seed = 1}),
                                                builtin_reviews({.count = 2000, .seed = 2}));
  EXPECT_LT(accuracy, 0.70);
  EXPECT_GT(accuracy, 0.40);
}

// The same bag of words on the long-memory task, where a single word tells: the yardstick works.
TEST(BuiltinReviews, TheBagOfWordsIsNotToBlame) {
  BuiltinReviewsOptions options{.task = BuiltinTask::long_memory, .count = 1000};
  const ExampleSet training = builtin_reviews(options);
  options.seed = 2;
  EXPECT_GT(bag_of_words_accuracy(training, builtin_reviews(options)), 0.99);
}

TEST(BuiltinReviews, RefuseWrongOptions) {
  EXPECT_THROW(builtin_reviews({.count = 0}), Error);
  EXPECT_THROW(builtin_reviews({.vocabulary = 100}), Error);
  EXPECT_THROW(builtin_reviews({.distance_min = -1}), Error);
  EXPECT_THROW(builtin_reviews({.distance_min = 30, .distance_max = 20}), Error);
}

}  // namespace
}  // namespace sluice
