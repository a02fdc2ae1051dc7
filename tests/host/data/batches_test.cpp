#include "host/data/batches.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/data/random_sequence.h"
#include "host/data/word_dropout.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

using Ids = std::vector<std::int32_t>;

/// Rows of 1 to 50 tokens; token = row * 100 + step, label = row % 3.
Dataset some_dataset(std::int32_t rows) {
  Dataset dataset;
  RandomSequence random(11, 0);
  for (std::int32_t row = 0; row < rows; ++row) {
    const auto length = static_cast<std::int32_t>(1 + random.below(50));
    for (std::int32_t t = 0; t < length; ++t) dataset.tokens.push_back(row * 100 + t);
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
    dataset.labels.push_back(row % 3);
  }
  return dataset;
}

Ids order_of(const BatchPlan& plan) {
  Ids rows;
  for (std::int32_t i = 0; i < plan.batches(); ++i) {
    rows.insert(rows.end(), plan.rows(i).begin(), plan.rows(i).end());
  }
  return rows;
}

std::int64_t padded_tokens(const Dataset& dataset, const BatchPlan& plan) {
  std::int64_t tokens = 0;
  for (std::int32_t i = 0; i < plan.batches(); ++i) {
    std::int32_t longest = 0;
    for (const std::int32_t row : plan.rows(i)) longest = std::max(longest, dataset.length(row));
    tokens += longest * static_cast<std::int64_t>(plan.rows(i).size());
  }
  return tokens;
}

TEST(BatchPlan, KeepsTheOrderUnlessTold) {
  const Dataset dataset = some_dataset(10);
  const BatchPlan plan(dataset, {9, 1, 4, 0, 7}, {.batch_size = 2, .shuffle = false});
  ASSERT_EQ(plan.batches(), 3);
  EXPECT_EQ(order_of(plan), (Ids{9, 1, 4, 0, 7}));
  EXPECT_EQ(plan.rows(2).size(), 1u);
}

TEST(BatchPlan, EveryEpochHasEveryRowOnceInAnOrderOfItsOwn) {
  const Dataset dataset = some_dataset(203);
  for (const std::int32_t buckets : {0, 4}) {
    const BatchOptions options{.batch_size = 10, .bucket_batches = buckets, .seed = 5};
    const Ids first = order_of(BatchPlan(dataset, all_rows(dataset), options, 0));
    EXPECT_EQ(order_of(BatchPlan(dataset, all_rows(dataset), options, 0)), first);
    const Ids second = order_of(BatchPlan(dataset, all_rows(dataset), options, 1));
    EXPECT_NE(first, second);
    for (Ids rows : {first, second}) {
      std::sort(rows.begin(), rows.end());
      EXPECT_EQ(rows, all_rows(dataset));
    }
    BatchOptions other = options;
    other.seed = 6;
    EXPECT_NE(order_of(BatchPlan(dataset, all_rows(dataset), other, 0)), first);
  }
}

TEST(BatchPlan, BucketsHoldRowsOfLikeLength) {
  const Dataset dataset = some_dataset(2000);
  const BatchOptions plain{.batch_size = 20}, bucketed{.batch_size = 20, .bucket_batches = 25};
  const BatchPlan without(dataset, all_rows(dataset), plain);
  const BatchPlan with(dataset, all_rows(dataset), bucketed);
  EXPECT_LT(padded_tokens(dataset, with), padded_tokens(dataset, without) * 6 / 10);
  // Batches are shuffled afterwards: their lengths do not fall along the epoch.
  std::int32_t rises = 0;
  for (std::int32_t i = 1; i < with.batches(); ++i) {
    rises += dataset.length(with.rows(i)[0]) > dataset.length(with.rows(i - 1)[0]);
  }
  EXPECT_GT(rises, with.batches() / 4);
}

TEST(BatchPlan, EdgesAndErrors) {
  const Dataset dataset = some_dataset(5);
  EXPECT_EQ(BatchPlan(dataset, {}, {}).batches(), 0);
  EXPECT_EQ(BatchPlan().batches(), 0);
  EXPECT_THROW(BatchPlan(dataset, {0}, {.batch_size = 0}), Error);
  EXPECT_THROW(BatchPlan(dataset, {0}, {.bucket_batches = -1}), Error);
  EXPECT_THROW(BatchPlan(dataset, {5}, {}), Error);
  EXPECT_THROW(BatchPlan(dataset, {-1}, {}), Error);
}

TEST(MakeBatch, PacksTimeMajorByFallingLength) {
  Dataset dataset;
  dataset.tokens = {10, 20, 21, 22, 30, 31};
  dataset.offsets = {0, 1, 4, 6};
  dataset.labels = {7, 8, 9};
  const Ids rows{0, 2, 1};
  const Batch batch = make_batch(dataset, rows);
  EXPECT_EQ(batch.rows, (Ids{1, 2, 0}));
  EXPECT_EQ(batch.labels, (Ids{8, 9, 7}));
  EXPECT_EQ(batch.layout.order(), (Ids{2, 1, 0}));
  EXPECT_EQ(batch.layout.lengths(), (Ids{3, 2, 1}));
  EXPECT_EQ(batch.tokens, (Ids{20, 30, 10, 21, 31, 22}));
  dataset.labels.clear();
  EXPECT_TRUE(make_batch(dataset, rows).labels.empty());
}

TEST(MakeBatch, PacksFramesAndTheLabelsOfStepsLikeTokens) {
  Dataset dataset;
  dataset.offsets = {0, 1, 4, 6};
  dataset.width = 2;
  dataset.frames = {10, -10, 20, -20, 21, -21, 22, -22, 30, -30, 31, -31};
  dataset.step_labels = {0, 1, 2, no_label, 3, 4};
  const Batch batch = make_batch(dataset, Ids{0, 2, 1});
  EXPECT_EQ(batch.rows, (Ids{1, 2, 0}));
  EXPECT_EQ(batch.width, 2);
  EXPECT_EQ(batch.frames,
            (std::vector<float>{20, -20, 30, -30, 10, -10, 21, -21, 31, -31, 22, -22}));
  EXPECT_EQ(batch.step_labels, (Ids{1, 3, 0, 2, 4, no_label}));
  EXPECT_TRUE(batch.tokens.empty());
  EXPECT_TRUE(batch.labels.empty());
  EXPECT_EQ(batch.layout.rows(), 6);
}

/// The same rows as frames of 3 numbers, and with a label for each step.
Dataset as_frames(const Dataset& tokens) {
  Dataset dataset;
  dataset.offsets = tokens.offsets;
  dataset.width = 3;
  for (const std::int32_t token : tokens.tokens) {
    for (const float part : {0.0f, 0.25f, 0.5f}) {
      dataset.frames.push_back(static_cast<float>(token) + part);
    }
    dataset.step_labels.push_back(token % 5);
  }
  return dataset;
}

TEST(BatchLoader, GoesOnWithFramesWhereItStopped) {
  const Dataset tokens = some_dataset(300), frames = as_frames(tokens);
  const BatchOptions options{.batch_size = 16, .bucket_batches = 3, .seed = 9};
  const BatchPlan plan(frames, all_rows(frames), options, 4);
  EXPECT_EQ(order_of(plan), order_of(BatchPlan(tokens, all_rows(tokens), options, 4)));
  BatchLoader whole(frames, plan), rest(frames, plan, {.first = 5, .ahead = 1});
  BatchLoader words(tokens, plan);
  Batch batch, again, of_words;
  for (std::int32_t i = 0; whole.next(batch); ++i) {
    ASSERT_TRUE(words.next(of_words));
    ASSERT_EQ(batch.frames.size(), of_words.tokens.size() * 3);
    for (std::size_t n = 0; n < of_words.tokens.size(); ++n) {
      ASSERT_EQ(batch.frames[3 * n + 2], static_cast<float>(of_words.tokens[n]) + 0.5f);
      ASSERT_EQ(batch.step_labels[n], of_words.tokens[n] % 5);
    }
    if (i < 5) continue;
    ASSERT_TRUE(rest.next(again));
    EXPECT_EQ(again.frames, batch.frames);
    EXPECT_EQ(again.step_labels, batch.step_labels);
  }
  EXPECT_FALSE(rest.next(again));
}

TEST(BatchPreparer, LeavesFramesAlone) {
  const Dataset frames = as_frames(some_dataset(10));
  Batch batch = make_batch(frames, all_rows(frames));
  const std::vector<float> before = batch.frames;
  BatchPreparer({.word_dropout = 0.5, .seed = 1, .distinct = {.vocabulary = 100}})
      .prepare(batch, 3);
  EXPECT_EQ(batch.frames, before);
  EXPECT_TRUE(batch.tokens.empty());
  EXPECT_TRUE(batch.distinct.tokens.empty());
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.layout.offsets(), b.layout.offsets());
  EXPECT_EQ(a.layout.order(), b.layout.order());
}

TEST(BatchLoader, GivesThePlansBatchesFromWhereverItStarts) {
  const Dataset dataset = some_dataset(500);
  const BatchPlan plan(dataset, all_rows(dataset), {.batch_size = 7});
  for (const std::int32_t first : {0, 1, 40, plan.batches()}) {
    for (const int ahead : {1, 4}) {
      BatchLoader loader(dataset, plan, {.first = first, .ahead = ahead});
      Batch batch;
      std::int32_t i = first;
      for (; loader.next(batch); ++i) expect_same(batch, make_batch(dataset, plan.rows(i)));
      EXPECT_EQ(i, plan.batches());
      EXPECT_FALSE(loader.next(batch));
    }
  }
}

// What a step would else do first: the same words dropped, then the same distinct ones found.
TEST(BatchLoader, PreparesEachBatchForItsStep) {
  const Dataset dataset = some_dataset(500);
  const BatchPlan plan(dataset, all_rows(dataset), {.batch_size = 7});
  const DistinctSearch search{.vocabulary = 50'000, .multiple = 64};
  DistinctFinder finder;
  for (const std::int32_t first : {0, 30}) {
    const LoadOptions options{.first = first,
                              .first_step = 100,
                              .preparation = {.word_dropout = 0.3, .seed = 9, .distinct = search}};
    BatchLoader loader(dataset, plan, options);
    Batch batch;
    for (std::int32_t i = first; loader.next(batch); ++i) {
      Batch expected = make_batch(dataset, plan.rows(i));
      const Ids words = expected.tokens;
      drop_words(expected.tokens, 0.3, 9, 100 + static_cast<std::uint32_t>(i - first));
      ASSERT_NE(expected.tokens, words);
      finder.find(expected.tokens, search, expected.distinct);
      expect_same(batch, expected);
      EXPECT_EQ(batch.distinct.tokens, expected.distinct.tokens);
      EXPECT_EQ(batch.distinct.index, expected.distinct.index);
    }
  }
}

TEST(BatchLoader, LeavesABatchAsItIsUnlessTold) {
  const Dataset dataset = some_dataset(20);
  BatchLoader loader(dataset, BatchPlan(dataset, all_rows(dataset), {}));
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_TRUE(batch.distinct.index.empty());
}

TEST(BatchLoader, ForwardsAWordOutsideTheVocabulary) {
  const Dataset dataset = some_dataset(20);
  BatchLoader loader(dataset, BatchPlan(dataset, all_rows(dataset), {}),
                     {.preparation = {.distinct = {.vocabulary = 100}}});
  Batch batch;
  EXPECT_THROW(loader.next(batch), Error);
}

TEST(BatchLoader, StopsInMidEpoch) {
  const Dataset dataset = some_dataset(2000);
  const BatchPlan plan(dataset, all_rows(dataset), {.batch_size = 2});
  for (int taken = 0; taken < 20; ++taken) {
    BatchLoader loader(dataset, plan, {.ahead = 1 + taken % 3});
    Batch batch;
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(loader.next(batch));
    if (taken % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST(BatchLoader, WaitsForASlowConsumer) {
  const Dataset dataset = some_dataset(60);
  const BatchPlan plan(dataset, all_rows(dataset), {.batch_size = 10});
  BatchLoader loader(dataset, plan, {.ahead = 1});
  Batch batch;
  int count = 0;
  while (loader.next(batch)) {
    ++count;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(count, 6);
}

TEST(BatchLoader, ForwardsAnErrorAfterTheBatchesBeforeIt) {
  Dataset dataset = some_dataset(30);
  const BatchPlan plan(dataset, all_rows(dataset), {.batch_size = 10, .shuffle = false});
  dataset.offsets[26] = dataset.offsets[25];  // a row without a token, which no layout takes
  BatchLoader loader(dataset, plan);
  Batch batch;
  EXPECT_TRUE(loader.next(batch));
  EXPECT_TRUE(loader.next(batch));
  EXPECT_THROW(loader.next(batch), Error);
  EXPECT_THROW(loader.next(batch), Error);
}

TEST(BatchLoader, RefusesWrongArguments) {
  const Dataset dataset = some_dataset(30);
  const BatchPlan plan(dataset, all_rows(dataset), {.batch_size = 10});
  EXPECT_THROW(BatchLoader(dataset, plan, {.first = 4}), Error);
  EXPECT_THROW(BatchLoader(dataset, plan, {.first = -1}), Error);
  EXPECT_THROW(BatchLoader(dataset, plan, {.ahead = 0}), Error);
}

}  // namespace
}  // namespace sluice
