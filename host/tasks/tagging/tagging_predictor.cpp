#include "host/tasks/tagging/tagging_predictor.h"

#include <utility>

#include "host/json/json.h"
#include "host/tasks/tagging/tagger.h"
#include "host/text/ascii_words.h"

namespace sluice {
namespace {

void split_text(ExampleRecord& record) {
  std::string_view text = trim_ascii(record.example.text);
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && !is_ascii_space(text[end])) ++end;
    record.example.tokens.emplace_back(text.substr(0, end));
    text = trim_ascii(text.substr(end));
  }
  record.input = InputKind::tokens;
}

std::string json_line(const ExampleRecord& record, const StepPredictions& predictions,
                      const LabelSet& names) {
  Json line = Json::object();
  if (record.input != InputKind::frames) line["tokens"] = record.example.tokens;
  Json& labels = line["labels"] = Json::array();
  for (const std::int32_t label : predictions.labels) labels.push_back(names.name(label));
  line["probabilities"] = predictions.probabilities;
  if (!record.problem.empty()) line["problem"] = record.problem;
  return line.dump(-1, Json::IllFormed::replace);
}

void append_columns(const ExampleRecord& record, const StepPredictions& predictions,
                    const LabelSet& names, std::vector<std::string>& lines) {
  const std::vector<std::string>& tokens = record.example.tokens;
  for (std::size_t t = 0; t < predictions.labels.size(); ++t) {
    lines.push_back((tokens.empty() ? std::to_string(t + 1) : tokens[t]) + "\t" +
                    names.name(predictions.labels[t]));
  }
}

}  // namespace

TaggingPredictor::TaggingPredictor(TrainedModel& trained, TextLines& lines,
                                   const PredictionOptions& options)
    : trained_(trained), lines_(lines), options_(options) {}

RecordInput& TaggingPredictor::input() {
  if (!input_) {
    const std::int32_t width = trained_.description.model.frame_width;
    input_.emplace(lines_, options_, find_input_form(lines_, options_), width);
  }
  return *input_;
}

bool TaggingPredictor::read() {
  ExampleRecord record;
  if (!input().read(record)) return false;
  if (!record.problem.empty()) {
    record.example.tokens.clear();  // what there was of them
  } else if (record.input == InputKind::text) {
    split_text(record);
  }
  waiting_.push_back(std::move(record));
  return true;
}

std::vector<std::string> TaggingPredictor::answer() {
  ExampleSet set;
  set.width = trained_.description.model.frame_width;
  set.input = set.width > 0 ? InputKind::frames : InputKind::tokens;
  set.targets = TargetKind::none;
  for (const ExampleRecord& record : waiting_) {
    if (record.problem.empty()) set.examples.push_back(record.example);
  }
  const std::vector<StepPredictions> predictions = tag(trained_, set);
  std::vector<std::string> answers;
  auto next = predictions.begin();
  for (const ExampleRecord& record : waiting_) {
    const bool good = record.problem.empty();
    const StepPredictions& of_record = good ? *next++ : StepPredictions();
    if (options_.json) {
      answers.push_back(json_line(record, of_record, trained_.labels));
    } else if (good) {
      if (std::exchange(answered_, true)) answers.emplace_back();
      append_columns(record, of_record, trained_.labels, answers);
    }
  }
  waiting_.clear();
  return answers;
}

std::vector<std::string> TaggingPredictor::notes() const {
  return input_ ? input_->notes() : std::vector<std::string>();
}

}  // namespace sluice
