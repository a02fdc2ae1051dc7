#include "host/tasks/tagging/tagging_task.h"

#include "host/network/dense.h"
#include "host/tasks/tagging/builtin_sentences.h"
#include "host/tasks/tagging/tagging_head.h"
#include "host/tasks/tagging/tagging_metrics.h"
#include "host/tasks/tagging/tagging_predictor.h"
#include "kernels/base/error.h"

namespace sluice {

ExampleSet TaggingTask::builtin_examples(const BuiltinData& options) const {
  require(options.kind == BuiltinData().kind,
          "--builtin " + options.kind + ": these are reviews to classify; leave it out, " + name() +
              " has built-in sentences of one kind");
  return builtin_sentences({.count = options.count, .seed = options.seed, .words = options.words});
}

LabelSet TaggingTask::collect_labels(const ExampleSet& examples) const {
  return LabelSet::collect(examples);
}

Dataset TaggingTask::encode(const ExampleSet& examples, const LabelSet& labels,
                            const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                            const EncodeOptions& options, ThreadPool* threads) const {
  return encode_examples(examples, labels, tokenizer, vocabulary, options, threads);
}

Split TaggingTask::split(const Dataset& dataset, const SplitOptions& options) const {
  return split_dataset(dataset, options);
}

std::vector<ParameterView> TaggingTask::head_parameters(const ModelConfig& config) const {
  return Dense{.inputs = config.features(), .outputs = config.classes}.parameters();
}

std::unique_ptr<Head> TaggingTask::make_head(const HeadContext& context) const {
  return std::make_unique<TaggingHead>(context);
}

std::unique_ptr<Metrics> TaggingTask::make_metrics(const LabelSet& labels) const {
  return std::make_unique<TaggingMetrics>(labels);
}

std::unique_ptr<Predictor> TaggingTask::make_predictor(TrainedModel& trained, TextLines& lines,
                                                       const PredictionOptions& options) const {
  return std::make_unique<TaggingPredictor>(trained, lines, options);
}

}  // namespace sluice
