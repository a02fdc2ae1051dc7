// The training loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/data/batches.h"
#include "host/tasks/model.h"
#include "host/training/evaluation.h"
#include "host/training/gradient_clipping.h"
#include "host/training/loss_scaling.h"
#include "host/training/optimizer.h"
#include "host/training/schedule.h"
#include "host/training/step_graphs.h"
#include "host/training/training_state.h"

namespace sluice {

/// What makes one epoch's weights better than another's.
enum class Monitor {
  accuracy,  ///< validation accuracy; the loss decides between equals
  loss,      ///< validation loss
};

struct TrainingConfig {
  int epochs = 5;
  std::int32_t batch_size = 64;
  std::int32_t bucket_batches = 0;  ///< see BatchOptions
  int patience = 0;  ///< stop after so many epochs in a row without improvement; 0: never
  Monitor monitor = Monitor::accuracy;
  std::uint64_t seed = 1;
  int report_every = 20;  ///< steps between two looks at the device's sums
  bool graphs = true;     ///< on CUDA: steps as CUDA graphs, which changes no bit (StepGraphs)
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  ClippingConfig clipping;

  /// Errors: usage, naming the option.
  void validate() const;
};

/// In mid-epoch.
struct ProgressReport {
  int epoch = 0;  ///< from 1
  int epochs = 0;
  std::int32_t batch = 0;
  std::int32_t batches = 0;
  double loss = 0.0;  ///< mean over the epoch so far
  double accuracy = 0.0;
  double examples_per_second = 0.0;
  double seconds_left = 0.0;  ///< of this epoch
};

/// After an epoch. Rates and seconds are those of the training steps, without validation; a resumed
/// epoch counts what this process did of it.
struct EpochReport {
  int epoch = 0;  ///< from 1
  double train_loss = 0.0, train_accuracy = 0.0;
  bool validated = false;
  double validation_loss = 0.0, validation_accuracy = 0.0;
  double examples_per_second = 0.0, tokens_per_second = 0.0;
  double seconds = 0.0;
  double learning_rate = 0.0;  ///< of the epoch's last step
  bool improved = false;
};

/// Signals ask from outside; the loop looks after each step.
struct TrainingRequests {
  std::atomic<int> stop{0};  ///< non-zero: finish the step, save, and return
  std::atomic<bool> save{false};
};

/// Called from the loop; any may be empty.
struct TrainingHooks {
  std::function<void(const ProgressReport&)> progress;
  std::function<void(const EpochReport&)> epoch_finished;
  /// At the start, after each epoch and as requested: everything a resume needs.
  std::function<void(const TrainingSnapshot&)> save;
  /// What a person should know of, beside reports: a line of text.
  std::function<void(const std::string&)> note;
};

class Trainer {
 public:
  /// `dataset` and `validation` (null: none) and `model` must outlive the trainer.
  /// Errors: usage if the configuration is invalid or there is nothing to train on.
  Trainer(Model& model, const TrainingConfig& config, const Dataset& dataset,
          std::vector<std::int32_t> rows, const Dataset* validation,
          std::vector<std::int32_t> validation_rows);

  /// Goes on from a snapshot. Errors: usage when it was made from other data; runtime when it does
  /// not fit the model or the optimiser.
  void restore(const TrainingSnapshot& snapshot);

  /// True when all epochs are done or patience has run out; false when a request stopped it.
  /// The model then holds the best weights, or after a stop the current ones. With
  /// OptimizerConfig::average_decay it is the averaged weights that are validated and kept as best.
  /// Errors: runtime when the loss is not a number; nothing is saved from then on.
  bool run(const TrainingHooks& hooks, TrainingRequests& requests);

  /// What the batches of a training are prepared by: its word dropout is not done by step().
  BatchPreparation preparation() const;

  /// One step on a prepared batch: dropout, forward, loss, backward, clipping, update. Waits for
  /// nothing. With a float16 model the loss is scaled (host/training/loss_scaling.h).
  void step(const Batch& batch);

  const TrainingState& state() const { return state_; }
  std::size_t device_bytes() const;

 private:
  struct EpochClock;  // what this process did of the current epoch

  bool finished() const;
  BatchPlan plan() const;
  bool train_epoch(const TrainingHooks& hooks, TrainingRequests& requests, EpochClock& clock);
  bool finish_epoch(const TrainingHooks& hooks, TrainingRequests& requests,
                    const EpochClock& clock);
  void read_totals();
  void read_loss_scale();
  void judge(EpochReport& report);
  Evaluation validate(TrainingRequests& requests);
  void exchange_average();
  void save(const TrainingHooks& hooks);

  Model& model_;
  TrainingConfig config_;
  const Dataset& dataset_;
  std::vector<std::int32_t> rows_;
  const Dataset* validation_;
  std::vector<std::int32_t> validation_rows_;
  Optimizer optimizer_;
  GradientClipping clipping_;
  LossScaling scaling_;
  Buffer totals_;  // [3] double, on the device
  StepGraphs graphs_;
  TrainingState state_;
  std::vector<float> best_parameters_;
  double learning_rate_ = 0.0;
  std::int32_t batches_per_epoch_ = 0;
};

}  // namespace sluice
