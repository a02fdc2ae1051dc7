#include "host/command/training_data.h"

#include "kernels/base/error.h"

namespace sluice {
namespace {

ExampleSet load_training_examples(const TrainOptions& options) {
  if (options.data.empty()) return options.learned().builtin_examples(options.builtin);
  return load_examples(options.data,
                       options.reading.read_options("train", options.learned().targets()));
}

TrainingData encode(const TrainOptions& options, const ExampleSet& examples, LabelSet labels,
                    Vocabulary vocabulary, ThreadPool* threads) {
  TrainingData data;
  data.labels = std::move(labels);
  data.vocabulary = std::move(vocabulary);
  const Task& task = options.learned();
  const auto to_numbers = [&](const ExampleSet& set) {
    check_width(set, examples.width);
    return task.encode(set, data.labels, options.tokenizer_options(), data.vocabulary,
                       options.encode_options(), threads);
  };
  data.examples = to_numbers(examples);
  const ReadOptions reading = options.reading.read_options("test", task.targets());
  if (!options.validation.empty()) {
    data.validation = to_numbers(load_examples(options.validation, reading));
    data.validation_rows = all_rows(data.validation);
    data.training_rows = all_rows(data.examples);
  } else {
    Split split = task.split(data.examples, options.split_options());
    data.training_rows = std::move(split.training);
    data.validation_rows = std::move(split.validation);
  }
  if (!options.test.empty()) {
    data.test = to_numbers(load_examples(options.test, reading));
  } else if (options.test_count > 0) {
    data.test = to_numbers(task.builtin_examples(options.builtin.held_out(options.test_count)));
  }
  return data;
}

}  // namespace

TrainingData load_training_data(const TrainOptions& options, ThreadPool* threads) {
  const ExampleSet examples = load_training_examples(options);
  LabelSet labels = options.learned().collect_labels(examples);
  Vocabulary vocabulary(count_tokens(examples, options.tokenizer_options(), threads),
                        options.vocabulary_options());
  return encode(options, examples, std::move(labels), std::move(vocabulary), threads);
}

TrainingData load_training_data(const TrainOptions& options, ThreadPool* threads, LabelSet labels,
                                Vocabulary vocabulary) {
  return encode(options, load_training_examples(options), std::move(labels), std::move(vocabulary),
                threads);
}

}  // namespace sluice
