// What is learned: the description that training, evaluation, checkpoints and commands ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/recurrent.h"
#include "host/data/dataset.h"
#include "host/data/examples.h"
#include "host/data/labels.h"
#include "host/data/text_lines.h"
#include "host/network/model_config.h"
#include "host/tasks/builtin_data.h"
#include "host/tasks/head.h"
#include "host/tasks/metrics.h"

namespace sluice {

class Predictor;
struct PredictionOptions;
struct TrainedModel;

/// An object without state for each task; host/tasks/list.h has them all. What a task is not asked
/// here is the same for every task.
class Task {
 public:
  virtual ~Task() = default;

  virtual const char* name() const = 0;      ///< on the command line and in model files
  virtual const char* meaning() const = 0;   ///< for people: what it learns
  virtual const char* examples() const = 0;  ///< what people call its rows: "reviews"

  // --- Data: what a batch holds, and its targets ---

  virtual TargetKind targets() const = 0;  ///< what of its examples has a label
  /// Where no file is given. Errors: usage, naming the option.
  virtual ExampleSet builtin_examples(const BuiltinData& options) const = 0;
  /// Classes, from training examples. Errors: usage when there is nothing to tell apart.
  virtual LabelSet collect_labels(const ExampleSet& examples) const = 0;
  /// Errors: usage with file and line for a label that `labels` lacks.
  virtual Dataset encode(const ExampleSet& examples, const LabelSet& labels,
                         const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                         const EncodeOptions& options, ThreadPool* threads) const = 0;
  /// Rows to train on and rows to validate on.
  virtual Split split(const Dataset& dataset, const SplitOptions& options) const = 0;

  // --- Head and loss ---

  /// The tensors of the head, in the order in which they stand in the flat buffer; their offsets
  /// are not read.
  virtual std::vector<ParameterView> head_parameters(const ModelConfig& config) const = 0;
  virtual std::unique_ptr<Head> make_head(const HeadContext& context) const = 0;

  // --- Metrics and report ---

  virtual std::unique_ptr<Metrics> make_metrics(const LabelSet& labels) const = 0;

  // --- Prediction ---

  /// `trained`, `lines` and `options` outlive it.
  virtual std::unique_ptr<Predictor> make_predictor(TrainedModel& trained, TextLines& lines,
                                                    const PredictionOptions& options) const = 0;
};

}  // namespace sluice
