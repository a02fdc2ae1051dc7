// The records of an input to predict on, as they come.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/data/record_parser.h"
#include "host/tasks/prediction.h"

namespace sluice {

enum class InputForm {
  text,        ///< one a line; blank lines are none
  json_lines,  ///< see RecordParser
  conll,
};

/// As options.format says; else by the file's name and by what is there of its lines. Tokens one a
/// line, and lines of as many columns that tabs separate, or blanks with blank lines between, are
/// conll. Errors: usage for an input of another kind, with a remedy.
InputForm find_input_form(TextLines& lines, const PredictionOptions& options);

class RecordInput {
 public:
  /// `lines` and `options` outlive it. `width`: of the model's frames; 0: it takes tokens.
  RecordInput(TextLines& lines, const PredictionOptions& options, InputForm form,
              std::int32_t width);

  /// Reads the next record, good or bad, and no further; false at the end. Of ill-formed UTF-8 a
  /// text is a good record. Errors: usage for a record that the model does not take, and if strict
  /// for a bad one.
  bool read(ExampleRecord& record);

  /// For people: what was odd.
  std::vector<std::string> notes() const;

 private:
  bool read_line(ExampleRecord& record);
  bool read_record(ExampleRecord& record);
  void check(const ExampleRecord& record);
  std::string where(const ExampleRecord& record) const;

  TextLines& lines_;
  const PredictionOptions& options_;
  std::int32_t width_;
  ReadOptions reading_;
  std::unique_ptr<RecordParser> parser_;  // null: texts
  std::int64_t line_ = 0;
  Oddity ill_formed_, bad_;
};

}  // namespace sluice
