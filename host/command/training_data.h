// Everything `sluice train` reads, as numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "host/checkpoint/model_file.h"
#include "host/command/train_options.h"
#include "host/data/dataset.h"
#include "host/data/labels.h"
#include "host/text/vocabulary.h"
#include "kernels/device/thread_pool.h"

namespace sluice {

struct TrainingData {
  LabelSet labels;
  Vocabulary vocabulary;
  Dataset examples;
  std::vector<std::int32_t> training_rows;    ///< of `examples`
  Dataset validation;                         ///< with --validation, else empty
  std::vector<std::int32_t> validation_rows;  ///< of `validation`, or if it is empty of `examples`
  Dataset test;                               ///< empty without one

  const Dataset& validation_set() const { return validation.size() > 0 ? validation : examples; }
};

/// Labels and vocabulary come from the training examples.
/// Errors: as read_examples() and encode_examples().
TrainingData load_training_data(const TrainOptions& options, ThreadPool* threads);

/// The same for a run that goes on, whose labels and vocabulary stand.
TrainingData load_training_data(const TrainOptions& options, ThreadPool* threads, LabelSet labels,
                                Vocabulary vocabulary);

}  // namespace sluice
