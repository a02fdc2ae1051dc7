// A trained run, ready to be used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/checkpoint/model_file.h"
#include "host/data/examples.h"
#include "host/data/labels.h"
#include "host/device.h"
#include "host/network/model.h"
#include "host/text/tokenizer.h"
#include "host/text/vocabulary.h"
#include "host/training/classification_metrics.h"
#include "host/training/evaluation.h"

namespace sluice {

struct Prediction {
  std::int32_t label = 0;    ///< class index
  float probability = 0.0f;  ///< of that class
};

/// Loads a run folder onto a device. `device` must outlive it.
class Classifier {
 public:
  /// Errors: usage when there is no such run; runtime when a file is damaged or the vocabulary is
  /// not the model's.
  Classifier(const Device& device, const std::filesystem::path& run);

  const ModelDescription& description() const { return description_; }
  const LabelSet& labels() const { return labels_; }
  Model& model() { return model_; }

  /// One prediction a text, in their order. Ill-formed UTF-8 is read as U+FFFD; a text without a
  /// word is one unknown word.
  std::vector<Prediction> predict(const std::vector<std::string>& texts);

  /// Errors: usage with file and line for a label the model does not know.
  Evaluation evaluate(const ExampleSet& examples, std::int32_t batch_size,
                      ClassificationMetrics& metrics);

 private:
  Classifier(const Device& device, const std::filesystem::path& run, LoadedModel loaded);

  ThreadPool* threads_;  // the device's, for tokenising; null on CUDA
  ModelDescription description_;
  LabelSet labels_;
  Vocabulary vocabulary_;
  Tokenizer tokenizer_;
  Model model_;
};

}  // namespace sluice
