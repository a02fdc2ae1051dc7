#include "host/data/example_sink.h"

#include <utility>

#include "host/data/example_rules.h"
#include "kernels/base/error.h"

namespace sluice {

void ExampleSink::accept(std::int64_t line, std::string&& text, std::string_view label) {
  ExampleRecord record;
  record.example.text = std::move(text);
  record.example.label = label;
  record.example.line = record.line = line;
  record.problem = find_problem(record, options_);
  accept(std::move(record));
}

void ExampleSink::accept(ExampleRecord&& record) {
  if (!record.problem.empty()) return reject(record.line, record.problem);
  if (set_.examples.empty()) {
    set_.input = record.input;
    set_.width = record.width;
  }
  const std::string difference = find_difference(record);
  if (!difference.empty()) return reject(record.line, difference);
  set_.examples.push_back(std::move(record.example));
  set_.examples.back().file = static_cast<std::int32_t>(set_.files.size()) - 1;
}

std::string ExampleSink::find_difference(const ExampleRecord& record) const {
  if (record.input != set_.input) {
    return std::string("expected ") + name_of(set_.input) + " as in the rows before, got " +
           name_of(record.input);
  }
  if (record.width == set_.width) return "";
  return "expected frames of " + std::to_string(set_.width) +
         " numbers as in the rows before, got " + std::to_string(record.width);
}

void ExampleSink::reject(std::int64_t line, const std::string& reason) {
  const std::string report = set_.files.back() + ":" + std::to_string(line) + ": " + reason;
  if (options_.strict) throw Error::usage(report + " (strict: the first bad row is an error)");
  ++set_.bad_rows;
  if (static_cast<int>(set_.bad_reports.size()) < options_.reported_rows) {
    set_.bad_reports.push_back(report);
  }
}

ExampleSet ExampleSink::finish(const std::string& path) {
  if (set_.examples.empty()) {
    throw Error::usage(set_.bad_rows == 0 ? path + ": expected " +
                                                name_of_wanted(options_.targets) + ", found none"
                                          : path + ": not one good row; " + set_.bad_row_summary());
  }
  return std::move(set_);
}

}  // namespace sluice
