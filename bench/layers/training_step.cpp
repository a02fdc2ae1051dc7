#include "bench/layers/training_step.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "bench/layers/random_numbers.h"
#include "host/tasks/list.h"
#include "kernels/device/device.h"

namespace sluice::bench {
namespace {

// Of every sixteenth of IMDB's training reviews; the last ones end at the longest.
constexpr std::array<std::int32_t, 17> cut_at_400{20,  84,  120, 136, 146, 158, 171, 184, 202,
                                                  224, 251, 289, 331, 390, 400, 400, 400};
constexpr std::array<std::int32_t, 17> cut_at_1000{20,  84,  120, 136, 146, 158, 171, 184, 202,
                                                   224, 251, 289, 331, 390, 478, 636, 1000};

std::int32_t review_token(std::uint64_t index, std::int64_t vocabulary) {
  const std::uint32_t word = random_word(Stream::tokens, index);
  const std::uint32_t octave = word % 13, within = word / 16 % (1u << octave);
  return static_cast<std::int32_t>(((1u << octave) + within) % (vocabulary - 2) + 2);
}

}  // namespace

std::int32_t review_length(std::uint64_t row, std::int32_t longest) {
  const auto& quantiles = longest > 400 ? cut_at_1000 : cut_at_400;
  const std::uint32_t word = random_word(Stream::lengths, row);
  const std::uint32_t place = word % 16, within = word / 16 % 64;
  const std::int32_t step = quantiles[place + 1] - quantiles[place];
  return quantiles[place] + step * static_cast<std::int32_t>(within) / 64;
}

StepProblem recipe_step() {
  StepProblem problem;
  problem.vocabulary = 30000;
  problem.longest = 1000;
  problem.recipe = true;
  return problem;
}

std::string StepProblem::name() const {
  return std::string(recipe ? "recipe/" : "") + name_of(cell) + "/" +
         (bucketed ? "bucketed" : "padded") + "/V" + std::to_string(vocabulary) + "/E" +
         std::to_string(kEmbedding) + "/H" + std::to_string(kHidden) + "/B" +
         std::to_string(kBatch) + (math == MatrixMath::tf32 ? "/tf32" : "");
}

ModelConfig StepProblem::model() const {
  ModelConfig config;
  config.vocabulary_size = vocabulary;
  config.embedding_size = kEmbedding;
  config.cell = cell;
  config.hidden_size = kHidden;
  config.input_dropout = recipe ? 0.6 : 0.2;
  if (recipe) {
    config.bidirectional = true;
    config.pooling = Pooling::max;
    config.word_dropout = 0.4;
    config.head_dropout = 0.3;
  }
  return config;
}

Dataset StepProblem::dataset() const {
  const int rows = batches * kBatch;
  std::vector<std::int32_t> lengths;
  for (int row = 0; row < rows; ++row) lengths.push_back(review_length(row, longest));
  if (bucketed) std::sort(lengths.begin(), lengths.end());
  Dataset made;
  for (int row = 0; row < rows; ++row) {
    if (!bucketed) made.tokens.insert(made.tokens.end(), longest - lengths[row], 0);
    for (std::int32_t t = 0; t < lengths[row]; ++t) {
      made.tokens.push_back(
          review_token(static_cast<std::uint64_t>(longest) * row + t, vocabulary));
    }
    made.offsets.push_back(static_cast<std::int64_t>(made.tokens.size()));
    made.labels.push_back(row % 2);
  }
  return made;
}

std::vector<float> StepProblem::parameters(const ParameterLayout& layout) const {
  std::vector<float> values(static_cast<std::size_t>(layout.size));
  for (const ParameterView& view : layout.views) {
    for (std::int64_t i = view.offset; i < view.offset + view.size(); ++i) {
      values[i] = 0.1f * random_number(Stream::parameters, i);
    }
  }
  return values;
}

TrainingStep::TrainingStep(const Queue& queue, const StepProblem& problem)
    : dataset_(problem.dataset()) {
  model_ = std::make_unique<Model>(queue, default_task(), problem.model(),
                                   Precision{DataType::float32, problem.math});
  model_->set_parameters(problem.parameters(model_->layout()));
  TrainingConfig training;
  training.batch_size = StepProblem::kBatch;
  training.epochs = 1 << 20;
  if (problem.recipe) {
    training.optimizer.epsilon = 1e-4;
    training.optimizer.average_decay = 0.998;
  }
  trainer_ = std::make_unique<Trainer>(*model_, training, dataset_, all_rows(dataset_), nullptr,
                                       std::vector<std::int32_t>{});
  for (int b = 0; b < problem.batches; ++b) {
    std::vector<std::int32_t> rows(StepProblem::kBatch);
    std::iota(rows.begin(), rows.end(), b * StepProblem::kBatch);
    batches_.push_back(make_batch(dataset_, rows));
  }
  tokens_ = static_cast<double>(dataset_.tokens.size()) / problem.batches;

  const Buffer totals(queue, 3 * sizeof(double));
  fill_zero(queue, totals.data(), totals.bytes());
  model_->forward_pass(batches_.front(), totals.as<double>());
  std::array<double, 3> sums{};
  download(queue, sums.data(), totals.data(), totals.bytes());
  synchronize(queue);
  first_loss_ = sums[0] / sums[2];

  BatchPreparer preparer(trainer_->preparation());  // a training does it on another thread
  for (Batch& batch : batches_) preparer.prepare(batch, 0);
}

}  // namespace sluice::bench
