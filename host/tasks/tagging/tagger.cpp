#include "host/tasks/tagging/tagger.h"

#include <algorithm>

#include "host/tasks/class_scores.h"
#include "host/tasks/tagging/tagging_task.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

std::size_t steps_of(const ExampleSet& set, const Example& example) {
  return set.input == InputKind::frames
             ? example.frames.size() / static_cast<std::size_t>(set.width)
             : example.tokens.size();
}

// A row whose steps are all of the example's, padded as in training.
EncodeOptions without_truncation(EncodeOptions options, std::size_t steps) {
  options.max_length = options.padding == Padding::none
                           ? 0
                           : std::max(options.max_length, static_cast<std::int32_t>(steps));
  return options;
}

void append(const Dataset& rows, Dataset& all) {
  all.width = rows.width;
  all.tokens.insert(all.tokens.end(), rows.tokens.begin(), rows.tokens.end());
  all.frames.insert(all.frames.end(), rows.frames.begin(), rows.frames.end());
  all.offsets.push_back(all.offsets.back() + rows.steps());
}

Dataset encode(const TrainedModel& trained, const ExampleSet& set) {
  const ModelDescription& description = trained.description;
  Dataset dataset;
  ExampleSet one;
  one.input = set.input;
  one.targets = TargetKind::none;
  one.width = set.width;
  for (const Example& example : set.examples) {
    one.examples = {example};
    append(encode_examples(one, trained.labels, description.tokenizer, trained.vocabulary,
                           without_truncation(description.encode, steps_of(set, example))),
           dataset);
  }
  return dataset;
}

}  // namespace

std::vector<StepPredictions> tag(TrainedModel& trained, const ExampleSet& set) {
  const ModelDescription& description = trained.description;
  require(dynamic_cast<const TaggingTask*>(description.task) != nullptr,
          std::string("tag: expected a model of task tagging, got one of task ") +
              description.task->name());
  require(set.input != InputKind::text, "tag: expected lists of tokens or frames, got texts");
  std::vector<StepPredictions> predictions(set.examples.size());
  if (set.examples.empty()) return predictions;
  const Dataset dataset = encode(trained, set);
  const Batch batch = make_batch(dataset, all_rows(dataset));
  trained.model.forward_pass(batch, nullptr);
  const std::vector<float> probabilities = trained.model.download_outputs();
  const std::int64_t classes = trained.labels.size();
  for (std::size_t sorted = 0; sorted < batch.rows.size(); ++sorted) {
    const auto row = static_cast<std::size_t>(batch.rows[sorted]);
    const std::size_t steps = steps_of(set, set.examples[row]);
    const auto length = static_cast<std::size_t>(batch.layout.lengths()[sorted]);
    const std::size_t first = description.encode.padding == Padding::pre ? length - steps : 0;
    for (std::size_t t = first; t < first + steps; ++t) {
      const auto n = static_cast<std::size_t>(batch.layout.offsets()[t]) + sorted;
      const float* of_step = probabilities.data() + n * static_cast<std::size_t>(classes);
      predictions[row].labels.push_back(predicted_class(of_step, classes));
      predictions[row].probabilities.push_back(predicted_probability(of_step, classes));
    }
  }
  return predictions;
}

}  // namespace sluice
