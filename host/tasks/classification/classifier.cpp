#include "host/tasks/classification/classifier.h"

#include "host/tasks/class_scores.h"
#include "host/tasks/classification/classification_task.h"
#include "kernels/base/error.h"

namespace sluice {

std::vector<ClassPrediction> classify(TrainedModel& trained,
                                      const std::vector<std::string>& texts) {
  const ModelDescription& description = trained.description;
  require(dynamic_cast<const ClassificationTask*>(description.task) != nullptr,
          std::string("classify: expected a model of task classification, got one of task ") +
              description.task->name());
  std::vector<ClassPrediction> predictions(texts.size());
  if (texts.empty()) return predictions;
  Tokenizer tokenizer(description.tokenizer);
  Dataset dataset;
  for (const std::string& text : texts) {
    encode_text(text, tokenizer, trained.vocabulary, description.encode, dataset.tokens);
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
  }
  const Batch batch = make_batch(dataset, all_rows(dataset));
  trained.model.forward_pass(batch, nullptr);
  const std::vector<float> probabilities = trained.model.download_outputs();
  const std::size_t outputs = probabilities.size() / texts.size();
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const float* of_row = probabilities.data() + row * outputs;
    predictions[static_cast<std::size_t>(batch.rows[row])] = {
        predicted_class(of_row, static_cast<std::int64_t>(outputs)),
        predicted_probability(of_row, static_cast<std::int64_t>(outputs))};
  }
  return predictions;
}

}  // namespace sluice
