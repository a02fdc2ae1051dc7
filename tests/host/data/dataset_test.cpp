#include "host/data/dataset.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/data/builtin_reviews.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

using Ids = std::vector<std::int32_t>;

Vocabulary some_vocabulary() {
  TokenCounts counts;  // a: 2, b: 3, c: 4, d: 5
  counts.add("a", 9), counts.add("b", 8), counts.add("c", 7), counts.add("d", 6);
  return Vocabulary(counts, {});
}

Ids encoded(std::string_view text, const EncodeOptions& options) {
  Tokenizer tokenizer;
  Ids ids;
  encode_text(text, tokenizer, some_vocabulary(), options, ids);
  return ids;
}

TEST(EncodeText, TruncatesAtEitherEnd) {
  EXPECT_EQ(encoded("A b x d", {.max_length = 4}), (Ids{2, 3, 1, 5}));
  EXPECT_EQ(encoded("a b c d", {.max_length = 3, .truncation = Truncation::keep_first}),
            (Ids{2, 3, 4}));
  EXPECT_EQ(encoded("a b c d", {.max_length = 3, .truncation = Truncation::keep_last}),
            (Ids{3, 4, 5}));
  EXPECT_EQ(encoded("a b c d", {.max_length = 0}), (Ids{2, 3, 4, 5}));
}

TEST(EncodeText, PadsInFrontOrBehind) {
  EXPECT_EQ(encoded("a b", {.max_length = 4, .padding = Padding::pre}), (Ids{0, 0, 2, 3}));
  EXPECT_EQ(encoded("a b", {.max_length = 4, .padding = Padding::post}), (Ids{2, 3, 0, 0}));
  EXPECT_EQ(encoded("a b c", {.max_length = 2, .padding = Padding::pre}), (Ids{3, 4}));
}

TEST(EncodeText, ATextWithoutTokensIsOneUnknown) {
  EXPECT_EQ(encoded(" <br /> ", {}), (Ids{1}));
  EXPECT_EQ(encoded("", {.max_length = 0}), (Ids{1}));
  EXPECT_EQ(encoded("", {.max_length = 3, .padding = Padding::pre}), (Ids{0, 0, 1}));
  EXPECT_EQ(encoded("", {.max_length = 3, .padding = Padding::post}), (Ids{1, 0, 0}));
}

TEST(EncodeText, RefusesInconsistentOptions) {
  EXPECT_THROW(encoded("a", {.max_length = -1}), Error);
  EXPECT_THROW(encoded("a", {.max_length = 0, .padding = Padding::pre}), Error);
}

TEST(EncodeExamples, GivesFlatArrays) {
  ExampleSet set;
  set.files.push_back("data.csv");
  set.examples = {{"a b c", "pos", 0, 2}, {"d", "neg", 0, 3}, {"!", "pos", 0, 4}};
  const Dataset dataset =
      encode_examples(set, LabelSet({"neg", "pos"}), {}, some_vocabulary(), {.max_length = 2});
  EXPECT_EQ(dataset.tokens, (Ids{3, 4, 5, 1}));
  EXPECT_EQ(dataset.offsets, (std::vector<std::int64_t>{0, 2, 3, 4}));
  EXPECT_EQ(dataset.labels, (Ids{1, 0, 1}));
  EXPECT_EQ(dataset.size(), 3);
  EXPECT_EQ(dataset.longest(), 2);
  EXPECT_EQ(dataset.row(1)[0], 5);
  EXPECT_THROW(encode_examples(set, LabelSet({"neg", "bad"}), {}, some_vocabulary(), {}), Error);
  const LabelSet labels({"neg", "pos"});
  EXPECT_EQ(encode_examples(ExampleSet(), labels, {}, Vocabulary(), {}).size(), 0);
}

ExampleSet tagged_sentences() {
  ExampleSet set;
  set.input = InputKind::tokens;
  set.targets = TargetKind::step;
  set.files.push_back("data.conll");
  set.examples.resize(2);
  set.examples[0].tokens = {"A", "b", "c d", "d"};
  set.examples[0].labels = {"O", "B", "O", "B"};
  set.examples[1].tokens = {"D"};
  set.examples[1].labels = {"B"};
  return set;
}

TEST(EncodeExamples, GivenTokensAreTakenAsTheyStand) {
  const ExampleSet set = tagged_sentences();
  const TokenCounts counts = count_tokens(set, {.fold_case = false});
  EXPECT_EQ(Vocabulary(counts, {}).size(), 2 + 5);  // A, b, "c d", d, D
  const Vocabulary vocabulary(count_tokens(set, {}), {});
  TokenCounts folded;
  folded.add("a"), folded.add("b"), folded.add("c d"), folded.add("d", 2);
  EXPECT_EQ(vocabulary.to_text(), Vocabulary(folded, {}).to_text());

  const LabelSet labels({"O", "B"});
  const Dataset dataset = encode_examples(set, labels, {}, vocabulary, {});
  EXPECT_EQ(dataset.tokens, (Ids{3, 4, 5, 2, 2}));
  EXPECT_EQ(dataset.step_labels, (Ids{0, 1, 0, 1, 1}));
  EXPECT_EQ(dataset.offsets, (std::vector<std::int64_t>{0, 4, 5}));
  EXPECT_EQ(dataset.steps(), 5);
  EXPECT_TRUE(dataset.labels.empty());
  EXPECT_TRUE(dataset.has_targets());
  const Dataset as_written = encode_examples(set, labels, {.fold_case = false}, vocabulary, {});
  EXPECT_EQ(as_written.tokens, (Ids{1, 4, 5, 2, 1}));
}

TEST(EncodeExamples, StepsLoseAndGainTheirLabelsWithThem) {
  const ExampleSet set = tagged_sentences();
  const Vocabulary vocabulary(count_tokens(set, {}), {});
  const LabelSet labels({"O", "B"});
  const auto encode = [&](const EncodeOptions& options) {
    return encode_examples(set, labels, {}, vocabulary, options);
  };
  const Dataset first = encode({.max_length = 3, .truncation = Truncation::keep_first});
  EXPECT_EQ(first.tokens, (Ids{3, 4, 5, 2}));
  EXPECT_EQ(first.step_labels, (Ids{0, 1, 0, 1}));
  const Dataset last = encode({.max_length = 3, .truncation = Truncation::keep_last});
  EXPECT_EQ(last.tokens, (Ids{4, 5, 2, 2}));
  EXPECT_EQ(last.step_labels, (Ids{1, 0, 1, 1}));
  const Dataset padded = encode({.max_length = 2, .padding = Padding::pre});
  EXPECT_EQ(padded.tokens, (Ids{5, 2, 0, 2}));
  EXPECT_EQ(padded.step_labels, (Ids{0, 1, no_label, 1}));
  EXPECT_EQ(padded.offsets, (std::vector<std::int64_t>{0, 2, 4}));
}

TEST(EncodeExamples, RefusesStepsWithoutLabels) {
  ExampleSet set = tagged_sentences();
  const LabelSet labels({"O", "B"});
  EXPECT_THROW(encode_examples(set, LabelSet({"O", "I"}), {}, some_vocabulary(), {}), Error);
  set.examples[0].labels.pop_back();
  EXPECT_THROW(encode_examples(set, labels, {}, some_vocabulary(), {}), Error);
  set.targets = TargetKind::none;
  const Dataset dataset = encode_examples(set, LabelSet(), {}, some_vocabulary(), {});
  EXPECT_EQ(dataset.size(), 2);
  EXPECT_FALSE(dataset.has_targets());
}

TEST(EncodeExamples, FramesAreTruncatedAndPaddedWhole) {
  ExampleSet set;
  set.input = InputKind::frames;
  set.width = 2;
  set.files.push_back("data.jsonl");
  set.examples.resize(2);
  set.examples[0].frames = {1, 2, 3, 4, 5, 6};
  set.examples[0].label = "up";
  set.examples[1].frames = {7, 8};
  set.examples[1].label = "down";
  const LabelSet labels = LabelSet::collect(set);
  EXPECT_EQ(count_tokens(set, {}).distinct(), 0);
  const Dataset whole = encode_examples(set, labels, {}, Vocabulary(), {});
  EXPECT_EQ(whole.frames, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(whole.width, 2);
  EXPECT_EQ(whole.offsets, (std::vector<std::int64_t>{0, 3, 4}));
  EXPECT_EQ(whole.labels, (Ids{1, 0}));
  EXPECT_TRUE(whole.tokens.empty());
  EXPECT_EQ(whole.longest(), 3);
  const Dataset cut =
      encode_examples(set, labels, {}, Vocabulary(), {.max_length = 2, .padding = Padding::post});
  EXPECT_EQ(cut.frames, (std::vector<float>{3, 4, 5, 6, 7, 8, 0, 0}));
  EXPECT_EQ(cut.offsets, (std::vector<std::int64_t>{0, 2, 4}));
}

TEST(EncodeExamples, DoesNotDependOnTheNumberOfThreads) {
  const ExampleSet set = builtin_reviews({.count = 2500});
  const LabelSet labels = LabelSet::collect(set);
  const Vocabulary alone(count_tokens(set, {}), {});
  const Dataset expected = encode_examples(set, labels, {}, alone, {.max_length = 20});
  EXPECT_EQ(expected.size(), 2500);
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads);
    const Vocabulary vocabulary(count_tokens(set, {}, &pool), {});
    EXPECT_EQ(vocabulary.to_text(), alone.to_text());
    const Dataset dataset = encode_examples(set, labels, {}, vocabulary, {.max_length = 20}, &pool);
    EXPECT_EQ(dataset.tokens, expected.tokens);
    EXPECT_EQ(dataset.offsets, expected.offsets);
    EXPECT_EQ(dataset.labels, expected.labels);
  }
}

TEST(SplitRows, KeepsTheClassesProportions) {
  Ids labels;  // 60 of class 0, 30 of class 1, 10 of class 2
  for (int i = 0; i < 100; ++i) labels.push_back(i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2);
  for (const SplitMethod method : {SplitMethod::tail, SplitMethod::sample}) {
    const Split split = split_rows(labels, {.validation_fraction = 0.2, .method = method});
    std::vector<int> counts(3);
    for (const std::int32_t row : split.validation) {
      ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
    }
    EXPECT_EQ(counts, (std::vector<int>{12, 6, 2}));
    EXPECT_TRUE(std::is_sorted(split.training.begin(), split.training.end()));
    EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
    Ids all = split.training;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    std::sort(all.begin(), all.end());
    Ids expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
  }
}

TEST(SplitRows, TailTakesTheLastRowsAndSampleFollowsTheSeed) {
  const Ids labels{0, 1, 0, 1, 0, 1, 0, 1};
  const SplitOptions tail{.validation_fraction = 0.25, .method = SplitMethod::tail};
  EXPECT_EQ(split_rows(labels, tail).validation, (Ids{6, 7}));
  const Ids many(1000, 0);
  const auto sample = [&](std::uint64_t seed) {
    return split_rows(many, {.validation_fraction = 0.1, .seed = seed}).validation;
  };
  EXPECT_EQ(sample(1), sample(1));
  EXPECT_NE(sample(1), sample(2));
}

TEST(SplitDataset, TakesRowsOfEachClassOrOfAll) {
  Dataset dataset;
  for (int i = 0; i < 10; ++i) {
    dataset.tokens.push_back(2);
    dataset.offsets.push_back(i + 1);
    dataset.step_labels.push_back(i % 2);
  }
  const SplitOptions tail{.validation_fraction = 0.2, .method = SplitMethod::tail};
  EXPECT_EQ(split_dataset(dataset, tail).validation, (Ids{8, 9}));
  EXPECT_EQ(split_dataset(dataset, tail).training.size(), 8u);
  const SplitOptions sample{.validation_fraction = 0.3, .seed = 4};
  EXPECT_EQ(split_dataset(dataset, sample).validation, split_dataset(dataset, sample).validation);
  EXPECT_EQ(split_dataset(dataset, sample).validation.size(), 3u);
  dataset.labels = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  EXPECT_EQ(split_dataset(dataset, tail).validation, (Ids{4, 9}));
}

TEST(SplitRows, EdgesAndErrors) {
  EXPECT_TRUE(split_rows({0, 1}, {.validation_fraction = 0.0}).validation.empty());
  const Split split = split_rows({0, 1, 1}, {.validation_fraction = 0.9});
  EXPECT_EQ(split.training.size(), 2u);  // one of each class stays
  EXPECT_TRUE(split_rows({}, {}).training.empty());
  EXPECT_THROW(split_rows({0, 1}, {.validation_fraction = 1.0}), Error);
  EXPECT_THROW(split_rows({0, 1}, {.validation_fraction = -0.1}), Error);
}

}  // namespace
}  // namespace sluice
