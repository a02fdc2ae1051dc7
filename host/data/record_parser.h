// Records out of lines, one line at a time: the readers of files and of `sluice predict` share it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/data/examples.h"

namespace sluice {

/// A record, good or bad.
struct Record {
  Example example;  ///< without a file; example.line is set for a bad one too
  InputKind input = InputKind::text;
  std::int32_t width = 0;  ///< F of frames
  std::string problem;     ///< what is wrong with it, for people; empty for a good one
  std::int64_t line = 0;   ///< where that is
};

/// By the rules of read_examples(), but that records need not be alike. A set of good ones has
/// .input and .width of its records and .targets of the options.
class RecordParser {
 public:
  virtual ~RecordParser() = default;

  /// Takes the next line, without its end; `line` counts from 1. Whether that made `record` whole.
  virtual bool take(std::string_view text, std::int64_t line, Record& record) = 0;
  /// At the end of the input: whether a record was left.
  virtual bool finish(Record& record) = 0;
};

/// For json_lines and conll. `options` must outlive it; options.targets says which labels there
/// have to be. Errors: usage, naming the choices, when `format` has no such records.
std::unique_ptr<RecordParser> make_record_parser(FileFormat format, const ReadOptions& options);

/// The format of an input by its name and its first bytes, among those that have such targets.
FileFormat find_format(std::string_view path, std::string_view begin, TargetKind targets);

}  // namespace sluice
