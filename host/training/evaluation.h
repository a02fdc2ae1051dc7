// A model's loss and accuracy on a data set.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "host/data/dataset.h"
#include "host/tasks/metrics.h"
#include "host/tasks/model.h"

namespace sluice {

/// Batches hold rows of like length. When `*stop` becomes non-zero the evaluation breaks off.
/// Errors: usage when `rows` is empty or there are no targets.
Evaluation evaluate(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
                    std::int32_t batch_size, const std::atomic<int>* stop = nullptr);

/// The same with a task's metrics, which costs a wait for the device after every batch.
Evaluation evaluate(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
                    std::int32_t batch_size, Metrics& metrics);

}  // namespace sluice
