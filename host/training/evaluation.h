// A model's loss and accuracy on a data set.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "host/data/dataset.h"
#include "host/network/model.h"
#include "host/training/classification_metrics.h"

namespace sluice {

struct Evaluation {
  double loss = 0.0;  ///< mean over the examples
  double accuracy = 0.0;
  std::int64_t examples = 0;
  double seconds = 0.0;
  bool stopped = false;  ///< the rest means nothing then
};

/// Batches hold rows of like length. When `*stop` becomes non-zero the evaluation breaks off.
/// Errors: usage when `rows` is empty or there are no labels.
Evaluation evaluate(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
                    std::int32_t batch_size, const std::atomic<int>* stop = nullptr);

/// The same with the confusion matrix, which costs a wait for the device after every batch.
Evaluation evaluate(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
                    std::int32_t batch_size, ClassificationMetrics& metrics);

}  // namespace sluice
