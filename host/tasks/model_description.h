// What a trained model is, beside its weights.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/data/dataset.h"
#include "host/network/model_config.h"
#include "host/network/parameters.h"
#include "host/tasks/list.h"
#include "host/text/tokenizer.h"

namespace sluice {

/// From a text to an answer, around the weights.
struct ModelDescription {
  const Task* task = &default_task();
  ModelConfig model;
  std::vector<std::string> labels;     ///< by class index
  std::string vocabulary_fingerprint;  ///< Vocabulary::fingerprint()
  TokenizerOptions tokenizer;
  EncodeOptions encode;
  std::map<std::string, std::string> notes;  ///< further entries for people, such as the best epoch

  /// Where the weights stand in their flat buffer.
  ParameterLayout layout() const { return {model, task->head_parameters(model)}; }
};

}  // namespace sluice
