#include "host/data/conll_records.h"

#include <utility>

#include "host/data/example_rules.h"
#include "host/text/ascii_words.h"
#include "host/text/utf8.h"

namespace sluice {
namespace {

struct Columns {
  std::string_view first, last;
  std::size_t count = 0;
};

// `line` begins and ends with none of the blanks and tabs that separate them.
Columns columns_of(std::string_view line) {
  Columns columns;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const std::size_t end = line.find_first_of(" \t", at);
    columns.last = line.substr(at, end - at);
    if (columns.count++ == 0) columns.first = columns.last;
    at = line.find_first_not_of(" \t", end);
  }
  return columns;
}

class ConllRecords : public RecordParser {
 public:
  explicit ConllRecords(const ReadOptions& options) : options_(options) {}

  bool take(std::string_view text, std::int64_t line, ExampleRecord& record) override {
    if (line == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text = trim_ascii(text);
    if (text.empty()) return finish(record);
    const Columns columns = columns_of(text);
    if (columns.first == "-DOCSTART-") return finish(record);
    if (!std::exchange(begun_, true)) {
      sentence_ = ExampleRecord();
      sentence_.input = InputKind::tokens;
      sentence_.example.line = sentence_.line = line;
      columns_ = columns.count;
      bytes_ = 0;
    }
    if (!sentence_.problem.empty()) return false;
    sentence_.problem = find_problem_of_line(text, columns);
    if (!sentence_.problem.empty()) {
      sentence_.line = line;
      return false;
    }
    // What is too long is not kept, but for what shows that it is.
    if (bytes_ <= options_.max_text_bytes) keep(columns);
    return false;
  }

  bool finish(ExampleRecord& record) override {
    if (!std::exchange(begun_, false)) return false;
    if (sentence_.problem.empty()) sentence_.problem = find_problem(sentence_, options_);
    record = std::move(sentence_);
    return true;
  }

 private:
  std::string find_problem_of_line(std::string_view text, const Columns& columns) const {
    if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
      return "not UTF-8, near " + quote(text.substr(at - (at < 20 ? at : 20), 40));
    }
    if (options_.targets == TargetKind::step && columns.count < 2) {
      return "expected a token and its label, got " + quote(text) + " alone";
    }
    if (options_.targets == TargetKind::none && columns.count != columns_) {
      return "expected one token a line, or as many columns as in the line before; got " +
             quote(text);
    }
    return "";
  }

  void keep(const Columns& columns) {
    Example& example = sentence_.example;
    example.tokens.emplace_back(columns.first);
    bytes_ += columns.first.size();
    if (options_.targets == TargetKind::step) example.labels.emplace_back(columns.last);
  }

  const ReadOptions& options_;
  bool begun_ = false;
  ExampleRecord sentence_;
  std::size_t columns_ = 0;  // of its first line
  std::size_t bytes_ = 0;    // of its tokens
};

}  // namespace

std::unique_ptr<RecordParser> make_conll_records(const ReadOptions& options) {
  return std::make_unique<ConllRecords>(options);
}

}  // namespace sluice
