#include "host/tasks/classification/classifier.h"

#include "host/tasks/class_scores.h"
#include "host/tasks/classification/classification_task.h"
#include "kernels/base/error.h"

namespace sluice {

namespace {

void check_task(const TrainedModel& trained) {
  const Task& task = *trained.description.task;
  require(dynamic_cast<const ClassificationTask*>(&task) != nullptr,
          std::string("classify: expected a model of task classification, got one of task ") +
              task.name());
}

std::vector<ClassPrediction> classify_rows(TrainedModel& trained, const Dataset& dataset) {
  std::vector<ClassPrediction> predictions(static_cast<std::size_t>(dataset.size()));
  if (predictions.empty()) return predictions;
  const Batch batch = make_batch(dataset, all_rows(dataset));
  trained.model.forward_pass(batch, nullptr);
  const std::vector<float> probabilities = trained.model.download_outputs();
  const std::size_t outputs = probabilities.size() / predictions.size();
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const float* of_row = probabilities.data() + row * outputs;
    predictions[static_cast<std::size_t>(batch.rows[row])] = {
        predicted_class(of_row, static_cast<std::int64_t>(outputs)),
        predicted_probability(of_row, static_cast<std::int64_t>(outputs))};
  }
  return predictions;
}

}  // namespace

std::vector<ClassPrediction> classify(TrainedModel& trained,
                                      const std::vector<std::string>& texts) {
  check_task(trained);
  Tokenizer tokenizer(trained.description.tokenizer);
  Dataset dataset;
  for (const std::string& text : texts) {
    encode_text(text, tokenizer, trained.vocabulary, trained.description.encode, dataset.tokens);
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
  }
  return classify_rows(trained, dataset);
}

std::vector<ClassPrediction> classify(TrainedModel& trained, const ExampleSet& set) {
  check_task(trained);
  ExampleSet unlabelled = set;
  unlabelled.targets = TargetKind::none;
  const ModelDescription& description = trained.description;
  return classify_rows(trained, encode_examples(unlabelled, trained.labels, description.tokenizer,
                                                trained.vocabulary, description.encode));
}

}  // namespace sluice
