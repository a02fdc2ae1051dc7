// Records out of lines, one line at a time: the readers of files and of `sluice predict` share it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/data/examples.h"

namespace sluice {

/// A record, good or bad.
struct ExampleRecord {
  Example example;  ///< without a file; example.line is set for a bad one too
  InputKind input = InputKind::text;
  std::int32_t width = 0;  ///< F of frames
  std::string problem;     ///< what is wrong with it, for people; empty for a good one
  std::int64_t line = 0;   ///< where that is, or where the record begins
};

/// By the rules of read_examples(), but that records need not be alike. Good ones that are make an
/// ExampleSet with .input and .width of the records and .targets of the options.
class RecordParser {
 public:
  virtual ~RecordParser() = default;

  /// Takes the next line, without its LF; `line` counts from 1. Whether that made `record` whole.
  virtual bool take(std::string_view text, std::int64_t line, ExampleRecord& record) = 0;
  /// At the end of the input: whether a record was left.
  virtual bool finish(ExampleRecord& record) = 0;
};

/// For FileFormat::json_lines: an object a line, of a text (a string), tokens (a list of strings)
/// or frames (a list of lists of numbers), and of a label (a string, an integer or a boolean) or a
/// list of them, as options.targets says. For FileFormat::conll: see there; without targets a
/// line is a token alone, or has more columns that are not read. `options` must outlive it.
/// Errors: usage for another format.
std::unique_ptr<RecordParser> make_record_parser(FileFormat format, const ReadOptions& options);

}  // namespace sluice
