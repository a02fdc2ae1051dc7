// A label for each token or frame, for programs.
#pragma once

#include <cstdint>
#include <vector>

#include "host/data/examples.h"
#include "host/tasks/prediction.h"

namespace sluice {

/// Of one example, by its steps.
struct StepPredictions {
  std::vector<std::int32_t> labels;  ///< class indices
  std::vector<float> probabilities;  ///< of those classes
};

/// One for each example, in their order, with an answer for every step: nothing is truncated.
/// Labels of the set are not read. Errors: usage if the model's task is another one, or the set
/// holds texts, tokens for frames or frames for tokens.
std::vector<StepPredictions> tag(TrainedModel& trained, const ExampleSet& set);

}  // namespace sluice
