#include "host/data/json_records.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "host/data/example_columns.h"
#include "host/data/example_rules.h"
#include "host/json/json.h"
#include "host/text/ascii_words.h"
#include "host/text/utf8.h"

namespace sluice {
namespace {

std::optional<std::string> label_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_integer() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

// As Python writes them outside of strings.
bool names_no_number(std::string_view text) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\') ++i;
    if (in_string) continue;
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("NaN") || rest.starts_with("Infinity")) return true;
  }
  return false;
}

// These give what is wrong, or nothing.

std::string take_tokens(const Json::Array& list, ExampleRecord& record) {
  record.input = InputKind::tokens;
  for (const Json& token : list) {
    if (!token.is_string()) {
      return "token " + std::to_string(record.example.tokens.size() + 1) + " is not a string";
    }
    record.example.tokens.push_back(token.get<std::string>());
  }
  return "";
}

std::string take_frame(const Json& frame, const std::string& name, ExampleRecord& record) {
  if (!frame.is_array()) return name + " is not a list of numbers";
  for (const Json& value : frame.elements()) {
    if (!value.is_number()) return name + " holds something else than a number";
    const double number = value.get<double>();
    if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
      return name + " holds a number that is not finite as a float32";
    }
    record.example.frames.push_back(static_cast<float>(number));
  }
  return "";
}

std::string take_frames(const Json::Array& list, ExampleRecord& record) {
  record.input = InputKind::frames;
  for (std::size_t t = 0; t < list.size(); ++t) {
    const std::string name = "frame " + std::to_string(t + 1);
    std::string problem = take_frame(list[t], name, record);
    if (!problem.empty()) return problem;
    const std::size_t width = list[t].size();
    if (t == 0) record.width = static_cast<std::int32_t>(width);
    if (width == 0) return name + " is empty";
    if (width != static_cast<std::size_t>(record.width)) {
      return "expected frames of " + std::to_string(record.width) + " numbers as the first, got " +
             std::to_string(width) + " in " + name;
    }
  }
  return "";
}

std::string take_step_labels(const Json& value, ExampleRecord& record) {
  if (!value.is_array()) return "expected a list with a label for each step, got one label";
  for (const Json& element : value.elements()) {
    const std::optional<std::string> label = label_of(element);
    if (!label) {
      return "label " + std::to_string(record.example.labels.size() + 1) +
             " is neither a string nor an integer";
    }
    record.example.labels.push_back(*label);
  }
  return "";
}

class JsonRecords : public RecordParser {
 public:
  explicit JsonRecords(const ReadOptions& options) : options_(options) {}

  bool take(std::string_view text, std::int64_t line, ExampleRecord& record) override {
    if (line == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (trim_ascii(text).empty()) return false;
    record = ExampleRecord();
    record.example.line = record.line = line;
    record.problem = read(text, record);
    if (record.problem.empty()) record.problem = find_problem(record, options_);
    return true;
  }

  bool finish(ExampleRecord&) override { return false; }

 private:
  std::string read(std::string_view text, ExampleRecord& record) const {
    if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
      return "not UTF-8 at byte " + std::to_string(at + 1);
    }
    Json object;  // null where the line is no JSON
    try {
      object = Json::parse(text);
    } catch (const JsonError& error) {
      if (names_no_number(text)) return "expected finite numbers, got NaN or Infinity";
      if (std::string_view(error.what()).find("number overflow") != std::string_view::npos) {
        return "expected finite numbers, got one past a double's range";
      }
    }
    if (!object.is_object()) return "expected a JSON object, got " + quote(text);
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.members()) keys.push_back(key);
    const ExampleColumns columns = find_example_columns(keys, options_);
    std::string problem = find_missing_key(columns);
    if (problem.empty() && options_.targets != TargetKind::none) {
      problem = read_label(object.at(keys[static_cast<std::size_t>(columns.label)]), record);
    }
    if (!problem.empty()) return problem;
    const std::string& key = keys[static_cast<std::size_t>(columns.text)];
    return read_input(object[key], key, columns.list, record);
  }

  std::string find_missing_key(const ExampleColumns& columns) const {
    const bool steps = options_.targets == TargetKind::step;
    if (columns.label < 0 && options_.targets != TargetKind::none) {
      if (!steps) return "no key " + quote(options_.label_column) + " for the label";
      return "no key " +
             quote(options_.label_column == "label" ? "labels" : options_.label_column) +
             " for the labels of the steps";
    }
    if (columns.text >= 0) return "";
    if (steps && options_.text_column == "text") {
      return "no key 'tokens' or 'frames' for the steps";
    }
    return "no key " + quote(options_.text_column) + " for the " + (steps ? "steps" : "text");
  }

  std::string read_label(const Json& value, ExampleRecord& record) const {
    if (options_.targets == TargetKind::step) return take_step_labels(value, record);
    const std::optional<std::string> label = label_of(value);
    if (!label) return "the label is neither a string nor an integer";
    record.example.label = *label;
    return "";
  }

  // A text may have any name; a list in place of one is a mistake, unless it has a list's name.
  std::string read_input(Json& value, const std::string& key, bool is_list_name,
                         ExampleRecord& record) const {
    const bool steps = options_.targets == TargetKind::step;
    if (value.is_string() && !steps) {
      record.example.text = std::move(value.text());
      return "";
    }
    const bool may_be_list = options_.targets != TargetKind::row || is_list_name;
    if (!value.is_array() || !may_be_list) {
      return may_be_list ? "expected a list of tokens or frames under " + quote(key) + ", got a " +
                               value.type_name()
                         : "the text is not a string";
    }
    const Json::Array& list = value.elements();
    if (list.empty()) return "the list " + quote(key) + " is empty";
    return list.front().is_array() ? take_frames(list, record) : take_tokens(list, record);
  }

  const ReadOptions& options_;
};

}  // namespace

std::unique_ptr<RecordParser> make_json_records(const ReadOptions& options) {
  return std::make_unique<JsonRecords>(options);
}

}  // namespace sluice
