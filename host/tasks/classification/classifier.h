// Labels for texts and other examples, for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/tasks/prediction.h"

namespace sluice {

struct ClassPrediction {
  std::int32_t label = 0;    ///< class index
  float probability = 0.0f;  ///< of that class
};

/// One for each text, in their order. Ill-formed UTF-8 is read as U+FFFD; a text without a word is
/// one unknown word. Errors: usage if the model's task is another one.
std::vector<ClassPrediction> classify(TrainedModel& trained, const std::vector<std::string>& texts);

/// The same of texts, tokens or frames. Labels of the set are not read. Errors: also when the model
/// takes others.
std::vector<ClassPrediction> classify(TrainedModel& trained, const ExampleSet& set);

}  // namespace sluice
