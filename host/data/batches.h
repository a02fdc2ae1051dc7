// The batches of an epoch: which rows, in which order, and preparing them ahead of time.
//
// From a file to a batch, for every task:
//   ExampleSet set = read_examples(path, {.targets = TargetKind::step});  // or row, none
//   LabelSet labels = LabelSet::collect(set);  // of what has labels, rows or steps
//   Vocabulary vocabulary(count_tokens(set, tokenizer), {});
//   Dataset dataset = encode_examples(set, labels, tokenizer, vocabulary, encode);
//   Split split = split_dataset(dataset, {});
//   BatchLoader loader(dataset, BatchPlan(dataset, split.training, {}));
//   for (Batch batch; loader.next(batch);) ...
// set.input says what the file's steps are: a text's tokens, given tokens, or frames of set.width
// numbers. To predict, the records of an input (host/data/record_parser.h) make an ExampleSet of
// TargetKind::none, and make_batch(dataset, all_rows(dataset)) one batch of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "engine/sequence_layout.h"
#include "host/data/dataset.h"
#include "host/data/distinct_tokens.h"

namespace sluice {

struct BatchOptions {
  std::int32_t batch_size = 64;     ///< the last batch may be smaller
  bool shuffle = true;              ///< false: rows as given (evaluation)
  std::int32_t bucket_batches = 0;  ///< k > 0: rows are sorted by length within windows of k
                                    ///< batches, so that a batch holds rows of like length; with
                                    ///< `shuffle` the batches are then shuffled
  std::uint64_t seed = 1;
};

/// The rows of each batch of one epoch: a function of (rows, lengths, options, epoch) alone, so
/// that a run resumed in mid-epoch finds the same batches again.
class BatchPlan {
 public:
  BatchPlan() = default;
  /// `rows`: row numbers of `dataset`. Errors: usage when an option or a row is out of range.
  BatchPlan(const Dataset& dataset, std::vector<std::int32_t> rows, const BatchOptions& options,
            std::uint32_t epoch = 0);

  std::int32_t batches() const { return static_cast<std::int32_t>(begins_.size()) - 1; }
  std::span<const std::int32_t> rows(std::int32_t batch) const {
    const auto at = static_cast<std::size_t>(batch);
    return {rows_.data() + begins_[at], static_cast<std::size_t>(begins_[at + 1] - begins_[at])};
  }

 private:
  std::vector<std::int32_t> rows_;
  std::vector<std::int64_t> begins_{0};  // [batches + 1]
};

/// What a training step takes: rows sorted by falling length, steps packed time-major: step t of
/// the row sorted to r is number layout.offsets()[t] + r of N.
struct Batch {
  SequenceLayout layout;
  std::vector<std::int32_t> tokens;       ///< [N] packed as `layout` says; empty with frames
  DistinctTokens distinct;                ///< of `tokens`; empty unless prepared
  std::vector<std::int32_t> labels;       ///< [B] by sorted row; empty if the data set has none
  std::vector<std::int32_t> rows;         ///< [B] by sorted row: row number in the data set
  std::vector<std::int32_t> step_labels;  ///< [N] packed, no_label where a step has none; empty if
                                          ///< the data set has none
  std::vector<float> frames;              ///< [N, width] packed
  std::int32_t width = 0;                 ///< F; 0: tokens
};

Batch make_batch(const Dataset& dataset, std::span<const std::int32_t> rows);

/// What is done to a batch beyond packing it, so that no step has to wait for it.
struct BatchPreparation {
  double word_dropout = 0.0;  ///< see drop_words(), as the seed
  std::uint64_t seed = 0;
  DistinctSearch distinct;
};

/// One batch at a time; keeps its memory from batch to batch.
class BatchPreparer {
 public:
  explicit BatchPreparer(const BatchPreparation& preparation) : preparation_(preparation) {}

  /// `step`: of training, of which the words dropped are a function. Errors: usage when a token is
  /// not in the vocabulary that distinct ones are searched in.
  void prepare(Batch& batch, std::uint32_t step);

 private:
  BatchPreparation preparation_;
  DistinctFinder finder_;
};

struct LoadOptions {
  std::int32_t first = 0;        ///< batch of the plan to begin with
  int ahead = 2;                 ///< batches kept ready, at most; at least 1
  std::uint32_t first_step = 0;  ///< training step of batch `first`
  BatchPreparation preparation = {};
};

/// Makes and prepares the next batches on a thread of its own while the caller computes. The order
/// and the content are those of the plan. `dataset` must outlive this object.
class BatchLoader {
 public:
  /// Errors: usage when an option is out of range.
  BatchLoader(const Dataset& dataset, BatchPlan plan, const LoadOptions& options = {});
  /// Stops at once, batches left or not.
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  const BatchPlan& plan() const { return plan_; }

  /// Moves the next batch into `batch`; false after the last. An exception from the preparing
  /// thread is rethrown here, after the batches before it.
  bool next(Batch& batch);

 private:
  void load();

  const Dataset& dataset_;
  const BatchPlan plan_;
  const LoadOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  bool finished_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace sluice
