// Where a training is: all that a resumed run needs to end with the bits of one never stopped.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/losses/loss_scale.h"

namespace sluice {

/// Masks, shuffles and schedules are functions of the seed and the counters here, so that no random
/// generator has a state of its own.
struct TrainingState {
  int epoch = 0;                   ///< epochs finished, validation included
  std::int32_t batch = 0;          ///< batches of the current epoch done
  std::uint32_t step = 0;          ///< batches done in all
  std::array<double, 3> totals{};  ///< current epoch: loss sum, classified rightly, examples

  int plateaus = 0;                  ///< reductions of the learning rate so far
  int epochs_since_improvement = 0;  ///< for early stopping
  int epochs_since_reduction = 0;    ///< without improvement, for Schedule::plateau
  int best_epoch = 0;                ///< from 1; 0: none yet
  double best_loss = 0.0;            ///< validation's; 0 without validation
  double best_accuracy = 0.0;

  LossScale loss_scale;  ///< of a float16 training; else as it began

  std::string data_fingerprint;  ///< of the training rows

  std::string to_json() const;
  /// What an older file lacks has its default. `where` stands for the file in messages. Errors:
  /// runtime.
  static TrainingState from_json(const std::string& json, const std::string& where);
};

/// The state with its arrays. Flat buffers are as host/network/parameters.h lays them out.
struct TrainingSnapshot {
  TrainingState state;
  std::vector<float> parameters;
  std::vector<std::pair<std::string, std::vector<float>>> optimizer;  ///< Optimizer::states()
  std::vector<float> best_parameters;  ///< empty as long as best_epoch is 0
};

}  // namespace sluice
