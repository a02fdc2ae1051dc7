#include "host/tasks/classification/classification_task.h"

#include "host/data/builtin_reviews.h"
#include "host/tasks/classification/classification_head.h"
#include "host/tasks/classification/classification_metrics.h"
#include "host/tasks/classification/classification_predictor.h"
#include "host/tasks/classification/classification_records.h"

namespace sluice {

ExampleSet ClassificationTask::builtin_examples(const BuiltinData& options) const {
  BuiltinReviewsOptions reviews;
  reviews.task = options.kind == "contrast" ? BuiltinTask::contrast : BuiltinTask::long_memory;
  reviews.count = options.count;
  reviews.seed = options.seed;
  reviews.vocabulary = options.words;
  reviews.distance_min = options.distance_min;
  reviews.distance_max = options.distance;
  return builtin_reviews(reviews);
}

LabelSet ClassificationTask::collect_labels(const ExampleSet& examples) const {
  return LabelSet::collect(examples);
}

Dataset ClassificationTask::encode(const ExampleSet& examples, const LabelSet& labels,
                                   const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                                   const EncodeOptions& options, ThreadPool* threads) const {
  return encode_examples(examples, labels, tokenizer, vocabulary, options, threads);
}

Split ClassificationTask::split(const Dataset& dataset, const SplitOptions& options) const {
  return split_rows(dataset.labels, options);
}

std::vector<ParameterView> ClassificationTask::head_parameters(const ModelConfig& config) const {
  return Dense{.inputs = config.features(), .outputs = ClassificationHead::outputs(config)}
      .parameters();
}

std::unique_ptr<Head> ClassificationTask::make_head(const HeadContext& context) const {
  return std::make_unique<ClassificationHead>(context);
}

std::unique_ptr<Metrics> ClassificationTask::make_metrics(const LabelSet& labels) const {
  return std::make_unique<ClassificationMetrics>(labels);
}

std::unique_ptr<Predictor> ClassificationTask::make_predictor(
    TrainedModel& trained, TextLines& lines, const PredictionOptions& options) const {
  if (trained.description.model.has_frames() || options.format == "jsonl") {
    return std::make_unique<ClassificationRecords>(trained, lines, options);
  }
  return std::make_unique<ClassificationPredictor>(trained, lines, options);
}

}  // namespace sluice
