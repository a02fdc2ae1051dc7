#include "host/tasks/record_input.h"

#include <string_view>
#include <utility>

#include "host/data/file_format.h"
#include "host/text/ascii_words.h"
#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr const char* expected_input =
    "one text a line, JSON lines (an object a line) or columns (a token a line)";

std::size_t count_columns(std::string_view line) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at != std::string_view::npos; ++columns) {
    at = line.find_first_not_of(" \t", line.find_first_of(" \t", at));
  }
  return columns;
}

// What is there may end within a line, which then is not looked at.
bool has_columns(std::string_view begin, bool whole) {
  std::size_t columns = 0;
  bool tabs = true, blank = false, blanks_between = false;
  for (std::size_t at = 0; at < begin.size();) {
    const std::size_t end = begin.find('\n', at);
    if (end == std::string_view::npos && !whole) break;
    const std::string_view line = trim_ascii(begin.substr(at, end - at));
    at = end == std::string_view::npos ? begin.size() : end + 1;
    if (line.starts_with("-DOCSTART-")) return true;
    if (line.empty()) {
      blank = columns > 0;
      continue;
    }
    if (columns > 0 && count_columns(line) != columns) return false;
    columns = count_columns(line);
    tabs = tabs && line.find('\t') != std::string_view::npos;
    blanks_between = blanks_between || blank;
  }
  return columns == 1 || (columns > 1 && (tabs || blanks_between));
}

std::string named(InputKind input, std::int32_t width) {
  return input == InputKind::frames ? "frames of " + std::to_string(width) + " numbers"
                                    : std::string("a list of tokens, or a text");
}

}  // namespace

InputForm find_input_form(TextLines& lines, const PredictionOptions& options) {
  if (options.format == "jsonl") return InputForm::json_lines;
  if (options.format == "conll") return InputForm::conll;
  if (options.format == "text" || options.plain) return InputForm::text;
  require(options.format == "auto",
          "--format must be auto, text, jsonl or conll, got '" + options.format + "'");
  const auto refuse = [&](const std::optional<ForeignFormat>& format) {
    if (format) refuse_input(*format, expected_input, lines, options);
  };
  if (lines.from_terminal()) return InputForm::text;
  std::string_view begin = lines.beginning(telling_bytes);
  refuse(find_binary_format(begin));
  if (lines.from_file()) {
    const FileFormat by_name = format_by_name(lines.name());
    if (by_name == FileFormat::json_lines) return InputForm::json_lines;
    if (by_name == FileFormat::conll || by_name == FileFormat::tsv) return InputForm::conll;
  }
  if (begin.starts_with("\xEF\xBB\xBF")) begin.remove_prefix(3);
  if (begins_object(begin)) return InputForm::json_lines;
  refuse(find_json(begin, lines.ended()));
  if (has_columns(begin, lines.ended())) return InputForm::conll;
  refuse(find_table(begin, lines.ended()));
  return InputForm::text;
}

RecordInput::RecordInput(TextLines& lines, const PredictionOptions& options, InputForm form,
                         std::int32_t width)
    : lines_(lines), options_(options), width_(width) {
  reading_.targets = TargetKind::none;
  if (form != InputForm::text) {
    parser_ = make_record_parser(
        form == InputForm::conll ? FileFormat::conll : FileFormat::json_lines, reading_);
  }
  lines_.forget_beginning();
}

bool RecordInput::read(ExampleRecord& record) {
  record = ExampleRecord();
  if (!(parser_ == nullptr ? read_line(record) : read_record(record))) return false;
  check(record);
  return true;
}

bool RecordInput::read_line(ExampleRecord& record) {
  std::string& line = record.example.text;
  while (lines_.next(line)) {
    record.example.line = record.line = ++line_;
    if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (!trim_ascii(line).empty()) return true;
  }
  return false;
}

bool RecordInput::read_record(ExampleRecord& record) {
  for (std::string line; lines_.next(line);) {
    if (parser_->take(line, ++line_, record)) return true;
  }
  return parser_->finish(record);
}

void RecordInput::check(const ExampleRecord& record) {
  if (!record.problem.empty()) {
    require(!options_.strict, where(record) + ": " + record.problem);
    return bad_.meet(where(record) + ": " + record.problem);
  }
  const InputKind taken = width_ > 0 ? InputKind::frames : InputKind::tokens;
  require(record.width == width_, where(record) + ": expected " + named(taken, width_) +
                                      ", which the model was trained on; got " +
                                      named(record.input, record.width));
  if (record.input != InputKind::text || is_valid_utf8(record.example.text)) return;
  require(!options_.strict, where(record) + ": not valid UTF-8");
  ill_formed_.meet(where(record));
}

std::string RecordInput::where(const ExampleRecord& record) const {
  return lines_.name() + ":" + std::to_string(record.line);
}

std::vector<std::string> RecordInput::notes() const {
  std::vector<std::string> notes;
  if (ill_formed_.count > 0) {
    notes.push_back(std::to_string(ill_formed_.count) +
                    " text(s) with ill-formed UTF-8; the first is " + ill_formed_.first);
  }
  if (bad_.count > 0) {
    notes.push_back(std::to_string(bad_.count) + " record(s) without an answer; the first is " +
                    bad_.first);
  }
  return notes;
}

}  // namespace sluice
