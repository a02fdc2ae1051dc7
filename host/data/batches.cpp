#include "host/data/batches.h"

#include <algorithm>
#include <string>
#include <utility>

#include "host/data/random_sequence.h"
#include "host/data/word_dropout.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

// Of the batch's rows, `each` numbers a step, if the data set has them.
template <class T>
void pack(const Dataset& dataset, const Batch& batch, const std::vector<T>& values,
          std::size_t each, std::vector<T>& packed) {
  if (values.empty()) return;
  packed.resize(static_cast<std::size_t>(batch.layout.rows()) * each);
  const std::vector<std::int32_t>& offsets = batch.layout.offsets();
  for (std::size_t r = 0; r < batch.rows.size(); ++r) {
    const auto row = static_cast<std::size_t>(batch.rows[r]);
    const T* from = values.data() + static_cast<std::size_t>(dataset.offsets[row]) * each;
    const auto steps = static_cast<std::size_t>(dataset.length(batch.rows[r]));
    for (std::size_t t = 0; t < steps; ++t) {
      std::copy_n(from + t * each, each,
                  packed.begin() + static_cast<std::ptrdiff_t>(
                                       (static_cast<std::size_t>(offsets[t]) + r) * each));
    }
  }
}

}  // namespace

BatchPlan::BatchPlan(const Dataset& dataset, std::vector<std::int32_t> rows,
                     const BatchOptions& options, std::uint32_t epoch)
    : rows_(std::move(rows)) {
  require(options.batch_size >= 1,
          "batch_size: expected at least 1, got " + std::to_string(options.batch_size));
  require(options.bucket_batches >= 0,
          "bucket_batches: expected 0 or more, got " + std::to_string(options.bucket_batches));
  for (const std::int32_t row : rows_) {
    require(row >= 0 && row < dataset.size(), "batch plan: row " + std::to_string(row) +
                                                  " is not in the data set of " +
                                                  std::to_string(dataset.size()) + " rows");
  }
  RandomSequence random(options.seed, random_stream::shuffle, epoch);
  if (options.shuffle) random.shuffle(rows_);

  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  if (options.bucket_batches > 0) {
    const std::size_t window = batch_size * static_cast<std::size_t>(options.bucket_batches);
    for (std::size_t begin = 0; begin < rows_.size(); begin += window) {
      const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto last =
          rows_.begin() + static_cast<std::ptrdiff_t>(std::min(rows_.size(), begin + window));
      std::stable_sort(first, last, [&](std::int32_t a, std::int32_t b) {
        return dataset.length(a) > dataset.length(b);
      });
    }
  }

  std::vector<std::size_t> starts;
  for (std::size_t begin = 0; begin < rows_.size(); begin += batch_size) starts.push_back(begin);
  if (options.shuffle && options.bucket_batches > 0) random.shuffle(starts);
  std::vector<std::int32_t> ordered;
  ordered.reserve(rows_.size());
  for (const std::size_t start : starts) {
    for (std::size_t i = start; i < std::min(rows_.size(), start + batch_size); ++i) {
      ordered.push_back(rows_[i]);
    }
    begins_.push_back(static_cast<std::int64_t>(ordered.size()));
  }
  rows_ = std::move(ordered);
}

Batch make_batch(const Dataset& dataset, std::span<const std::int32_t> rows) {
  std::vector<std::int32_t> lengths;
  lengths.reserve(rows.size());
  for (const std::int32_t row : rows) lengths.push_back(dataset.length(row));

  Batch batch;
  batch.layout = SequenceLayout(lengths);
  batch.width = dataset.width;
  const std::vector<std::int32_t>& order = batch.layout.order();
  for (std::size_t r = 0; r < order.size(); ++r) {
    const std::int32_t row = rows[static_cast<std::size_t>(order[r])];
    batch.rows.push_back(row);
    if (!dataset.labels.empty()) {
      batch.labels.push_back(dataset.labels[static_cast<std::size_t>(row)]);
    }
  }
  pack(dataset, batch, dataset.tokens, 1, batch.tokens);
  pack(dataset, batch, dataset.step_labels, 1, batch.step_labels);
  pack(dataset, batch, dataset.frames, static_cast<std::size_t>(dataset.width), batch.frames);
  return batch;
}

void BatchPreparer::prepare(Batch& batch, std::uint32_t step) {
  drop_words(batch.tokens, preparation_.word_dropout, preparation_.seed, step);
  if (preparation_.distinct.vocabulary > 0) {
    finder_.find(batch.tokens, preparation_.distinct, batch.distinct);
  }
}

BatchLoader::BatchLoader(const Dataset& dataset, BatchPlan plan, const LoadOptions& options)
    : dataset_(dataset), plan_(std::move(plan)), options_(options) {
  require(options.first >= 0 && options.first <= plan_.batches(),
          "batch loader: first batch " + std::to_string(options.first) + " is not in the plan of " +
              std::to_string(plan_.batches()));
  require(options.ahead >= 1,
          "batch loader: expected at least 1 batch ahead, got " + std::to_string(options.ahead));
  thread_ = std::thread([this] { load(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchLoader::load() {
  BatchPreparer preparer(options_.preparation);
  std::exception_ptr failure;
  try {
    for (std::int32_t i = options_.first; i < plan_.batches(); ++i) {
      Batch batch = make_batch(dataset_, plan_.rows(i));
      preparer.prepare(batch, options_.first_step + static_cast<std::uint32_t>(i - options_.first));
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        return stopping_ || ready_.size() < static_cast<std::size_t>(options_.ahead);
      });
      if (stopping_) return;
      ready_.push_back(std::move(batch));
      lock.unlock();
      changed_.notify_all();
    }
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    finished_ = true;
  }
  changed_.notify_all();
}

bool BatchLoader::next(Batch& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || finished_; });
  if (ready_.empty()) {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    return false;
  }
  batch = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  changed_.notify_all();
  return true;
}

}  // namespace sluice
