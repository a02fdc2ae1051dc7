// A label for each step of a sentence or of a sequence of frames.
#pragma once

#include "host/tasks/task.h"

namespace sluice {

class TaggingTask : public Task {
 public:
  const char* name() const override { return "tagging"; }
  const char* meaning() const override { return "a label for each token of a sentence"; }
  const char* examples() const override { return "sentences"; }

  TargetKind targets() const override { return TargetKind::step; }
  ExampleSet builtin_examples(const BuiltinData& options) const override;
  LabelSet collect_labels(const ExampleSet& examples) const override;
  Dataset encode(const ExampleSet& examples, const LabelSet& labels,
                 const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                 const EncodeOptions& options, ThreadPool* threads) const override;
  Split split(const Dataset& dataset, const SplitOptions& options) const override;
  std::vector<ParameterView> head_parameters(const ModelConfig& config) const override;
  std::unique_ptr<Head> make_head(const HeadContext& context) const override;
  std::unique_ptr<Metrics> make_metrics(const LabelSet& labels) const override;
  std::unique_ptr<Predictor> make_predictor(TrainedModel& trained, TextLines& lines,
                                            const PredictionOptions& options) const override;
};

}  // namespace sluice
