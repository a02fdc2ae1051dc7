// One label a text.
#pragma once

#include "host/tasks/task.h"

namespace sluice {

class ClassificationTask : public Task {
 public:
  const char* name() const override { return "classification"; }
  const char* meaning() const override { return "a label for each text"; }
  const char* examples() const override { return "reviews"; }

  TargetKind targets() const override { return TargetKind::row; }
  ExampleSet builtin_examples(const BuiltinData& options) const override;
  LabelSet collect_labels(const ExampleSet& examples) const override;
  Dataset encode(const ExampleSet& examples, const LabelSet& labels,
                 const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                 const EncodeOptions& options, ThreadPool* threads) const override;
  /// A part of each class.
  Split split(const Dataset& dataset, const SplitOptions& options) const override;
  std::vector<ParameterView> head_parameters(const ModelConfig& config) const override;
  std::unique_ptr<Head> make_head(const HeadContext& context) const override;
  std::unique_ptr<Metrics> make_metrics(const LabelSet& labels) const override;
  std::unique_ptr<Predictor> make_predictor(TrainedModel& trained, TextLines& lines,
                                            const PredictionOptions& options) const override;
};

}  // namespace sluice
