#include "host/classifier.h"

#include "host/checkpoint/run_folder.h"

namespace sluice {
namespace {

LoadedModel load_checked(const RunFolder& folder) {
  folder.check_trained();
  return load_model(folder.model());
}

}  // namespace

Classifier::Classifier(const Device& device, const std::filesystem::path& run)
    : Classifier(device, run, load_checked(RunFolder(run))) {}

Classifier::Classifier(const Device& device, const std::filesystem::path& run, LoadedModel loaded)
    : threads_(device.queue().threads),
      description_(std::move(loaded.description)),
      labels_(description_.labels),
      vocabulary_(RunFolder(run).load_vocabulary(description_)),
      tokenizer_(description_.tokenizer),
      model_(device.queue(), description_.model) {
  model_.set_parameters(loaded.parameters);
}

std::vector<Prediction> Classifier::predict(const std::vector<std::string>& texts) {
  Dataset dataset;
  for (const std::string& text : texts) {
    encode_text(text, tokenizer_, vocabulary_, description_.encode, dataset.tokens);
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
  }
  std::vector<Prediction> predictions(texts.size());
  if (texts.empty()) return predictions;
  const Batch batch = make_batch(dataset, all_rows(dataset));
  model_.forward_pass(batch, nullptr);
  const std::vector<float> probabilities = model_.download_probabilities();
  const int logits = description_.model.logits();
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const float* of_row = probabilities.data() + row * static_cast<std::size_t>(logits);
    predictions[static_cast<std::size_t>(batch.rows[row])] = {
        predicted_class(of_row, logits), predicted_probability(of_row, logits)};
  }
  return predictions;
}

Evaluation Classifier::evaluate(const ExampleSet& examples, std::int32_t batch_size,
                                ClassificationMetrics& metrics) {
  const Dataset dataset = encode_examples(examples, labels_, description_.tokenizer, vocabulary_,
                                          description_.encode, threads_);
  return sluice::evaluate(model_, dataset, all_rows(dataset), batch_size, metrics);
}

}  // namespace sluice
