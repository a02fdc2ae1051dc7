#include "host/tasks/classification/classification_records.h"

#include <cstdio>
#include <utility>

#include "host/json/json.h"
#include "host/tasks/classification/classifier.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

// Frames come as JSON lines alone, and one who types is taken to type those.
InputForm form_of(TextLines& lines, const PredictionOptions& options) {
  const std::string given = options.plain ? "--plain" : "--format " + options.format;
  require(!options.plain && (options.format == "auto" || options.format == "jsonl"),
          given + ": frames to classify are read as JSON lines, {\"frames\": [[...], ...]} a line");
  if (options.format == "auto" && !lines.from_terminal()) {
    require(find_input_form(lines, options) == InputForm::json_lines,
            lines.name() +
                ": looks like text, expected JSON lines with what the model was trained on, "
                "{\"frames\": [[...], ...]} a line");
  }
  return InputForm::json_lines;
}

std::string text_of(const Example& example) {
  std::string text = example.text;
  for (const std::string& token : example.tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

std::string json_answer(const ExampleRecord& record, const std::string& label, double probability) {
  Json line = Json::object();
  if (!record.problem.empty()) {
    line["problem"] = record.problem;
  } else {
    line["label"] = label;
    line["probability"] = probability;
    if (record.input != InputKind::frames) line["text"] = text_of(record.example);
  }
  return line.dump(-1, Json::IllFormed::replace);
}

std::string plain_answer(const ExampleRecord& record, const std::string& label,
                         double probability) {
  if (!record.problem.empty()) return "";
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6f", probability);
  std::string line = label + "\t" + digits;
  if (record.input != InputKind::frames) line += "\t" + text_of(record.example);
  return line;
}

}  // namespace

ClassificationRecords::ClassificationRecords(TrainedModel& trained, TextLines& lines,
                                             const PredictionOptions& options)
    : trained_(trained),
      options_(options),
      input_(lines, options, form_of(lines, options), trained.description.model.frame_width) {}

bool ClassificationRecords::read() {
  ExampleRecord record;
  if (!input_.read(record)) return false;
  waiting_.push_back(std::move(record));
  return true;
}

// The good records of a kind.
void ClassificationRecords::classify_waiting(InputKind input,
                                             std::vector<ClassPrediction>& predictions) {
  ExampleSet set;
  set.input = input;
  set.width = input == InputKind::frames ? trained_.description.model.frame_width : 0;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (!waiting_[i].problem.empty() || waiting_[i].input != input) continue;
    set.examples.push_back(waiting_[i].example);
    places.push_back(i);
  }
  const std::vector<ClassPrediction> of_kind = classify(trained_, set);
  for (std::size_t i = 0; i < places.size(); ++i) predictions[places[i]] = of_kind[i];
}

std::vector<std::string> ClassificationRecords::answer() {
  std::vector<ClassPrediction> predictions(waiting_.size());
  for (const InputKind input : {InputKind::text, InputKind::tokens, InputKind::frames}) {
    classify_waiting(input, predictions);
  }
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const std::string& label = trained_.labels.name(predictions[i].label);
    answers.push_back(options_.json ? json_answer(waiting_[i], label, predictions[i].probability)
                                    : plain_answer(waiting_[i], label, predictions[i].probability));
  }
  waiting_.clear();
  return answers;
}

}  // namespace sluice
