// Whole training steps of the IMDB network on made-up reviews: of IMDB's lengths and about its
// frequencies of words, so that no file is needed wherever they are measured.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/data/batches.h"
#include "host/tasks/model.h"
#include "host/training/trainer.h"

namespace sluice::bench {

/// A length of IMDB's training reviews by words and punctuation, cut at 400 or 1000: random word w
/// of `row` lies between quantiles w % 16 and w % 16 + 1, at (w / 16 % 64) / 64.
std::int32_t review_length(std::uint64_t row, std::int32_t longest);

/// The Keras lesson's network: embedding 128, one layer of 64 units, its last state, one sigmoid
/// unit; dropout 0.2 on its input (a mask a row, constant over time); batches of 64, Adam at 1e-3,
/// float32.
struct StepProblem {
  Cell cell = Cell::lstm;
  std::int64_t vocabulary = 10000;
  bool bucketed =
      true;  ///< batches of like lengths; else every row is padded in front to `longest`
  int batches = 8;
  std::int32_t longest = 400;
  MatrixMath math = MatrixMath::ieee;

  /// bench/recipes/imdb.toml instead: both directions, the largest output over time, dropout on
  /// words, inputs and features, a moving average of the weights, reviews of up to 1000 words.
  bool recipe = false;

  static constexpr std::int64_t kEmbedding = 128, kHidden = 64;
  static constexpr std::int32_t kBatch = 64;

  std::string name() const;
  ModelConfig model() const;

  /// Row b * kBatch + i is row i of batch b; bucketed ones are sorted over all rows. Token t of the
  /// text: octave o = w % 13, token 2^o + w / 16 % 2^o (about Zipf's law), modulo V - 2, plus 2;
  /// padding is 0. Label: r % 2.
  Dataset dataset() const;

  /// Numbers 0.1 * random_number(parameters, place in the flat buffer).
  std::vector<float> parameters(const ParameterLayout& layout) const;
};

/// The recipe's vocabulary, lengths and options.
StepProblem recipe_step();

/// The network, its optimiser and its batches on a device.
class TrainingStep {
 public:
  TrainingStep(const Queue& queue, const StepProblem& problem);

  /// One step on batch `pass` modulo their number.
  void run(std::uint64_t pass) { trainer_->step(batches_[pass % batches_.size()]); }

  /// Mean loss of the first batch with the initial parameters, without dropout.
  double first_loss() const { return first_loss_; }
  double tokens() const { return tokens_; }  ///< of a batch, on average
  std::size_t bytes() const { return model_->bytes() + trainer_->device_bytes(); }

 private:
  Dataset dataset_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Trainer> trainer_;
  std::vector<Batch> batches_;
  double first_loss_ = 0, tokens_ = 0;
};

}  // namespace sluice::bench
