#include "host/tasks/classification/classification_predictor.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "host/json/json.h"
#include "host/tasks/classification/classifier.h"
#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {

ClassificationPredictor::ClassificationPredictor(TrainedModel& trained, TextLines& lines,
                                                 const PredictionOptions& options)
    : trained_(trained), lines_(lines), options_(options), judged_(options.plain) {
  require(options.format == "auto" || options.format == "text",
          "--format: texts to classify are text (one a line) or jsonl, got " + options.format);
  // A compressed file may have no line to wait for.
  if (!judged_) refuse(find_binary_format(lines_.beginning(telling_bytes)));
}

// Before the first answer: what the lines that are there show.
void ClassificationPredictor::judge() {
  if (!std::exchange(judged_, true)) {
    std::string_view begin = lines_.beginning(telling_bytes);
    refuse(find_binary_format(begin));
    if (begin.starts_with("\xEF\xBB\xBF")) begin.remove_prefix(3);
    refuse(find_json(begin, lines_.ended()));
    refuse(find_table(begin, lines_.ended()));
  }
  lines_.forget_beginning();
}

void ClassificationPredictor::refuse(const std::optional<ForeignFormat>& format) const {
  if (format) refuse_input(*format, "one text a line", lines_, options_);
}

// A line without the carriage return at its end. Bad lines are counted and answered all the same,
// so that every line of the input has one of the output.
bool ClassificationPredictor::read() {
  std::string line;
  if (!lines_.next(line)) return false;
  ++line_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line_ == 1 && line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);
  const auto odd = [this](Oddity& oddity, const char* what) {
    const std::string where = lines_.name() + ":" + std::to_string(line_);
    require(!options_.strict, where + ": " + what);
    oddity.meet(where);
  };
  if (!is_valid_utf8(line)) odd(ill_formed_, "not valid UTF-8");
  if (line.find_first_not_of(" \t\v\f") == std::string::npos) odd(empty_, "no text");
  texts_.push_back(std::move(line));
  return true;
}

std::vector<std::string> ClassificationPredictor::answer() {
  judge();
  std::vector<std::string> answers;
  const std::vector<ClassPrediction> predictions = classify(trained_, texts_);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const std::string& label = trained_.labels.name(predictions[i].label);
    const double probability = predictions[i].probability;
    if (options_.json) {
      const Json line =
          Json::object({{"label", label}, {"probability", probability}, {"text", texts_[i]}});
      answers.push_back(line.dump(-1, Json::IllFormed::replace));
    } else {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.6f", probability);
      answers.push_back(label + "\t" + digits + "\t" + texts_[i]);
    }
  }
  texts_.clear();
  return answers;
}

std::vector<std::string> ClassificationPredictor::notes() const {
  std::vector<std::string> notes;
  if (ill_formed_.count > 0) {
    notes.push_back(std::to_string(ill_formed_.count) +
                    " line(s) with ill-formed UTF-8, read as U+FFFD; the first is " +
                    ill_formed_.first);
  }
  if (empty_.count > 0) {
    notes.push_back(std::to_string(empty_.count) +
                    " line(s) without text, taken as one unknown word; the first is " +
                    empty_.first);
  }
  return notes;
}

}  // namespace sluice
