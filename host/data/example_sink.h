// Where the readers of the formats put what they find: good rows and bad ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/data/examples.h"
#include "host/data/record_parser.h"

namespace sluice {

/// Keeps the good rows and counts the bad, by the rules of read_examples().
class ExampleSink {
 public:
  explicit ExampleSink(const ReadOptions& options) : options_(options) {
    set_.targets = options.targets;
  }

  const ReadOptions& options() const { return options_; }

  /// The rows that follow come from `path`.
  void begin_file(const std::string& path) { set_.files.push_back(path); }

  /// A text, checked here.
  void accept(std::int64_t line, std::string&& text, std::string_view label);
  /// What a RecordParser made: kept if it is good and like those before.
  void accept(ExampleRecord&& record);
  /// Errors: usage, if strict.
  void reject(std::int64_t line, const std::string& reason);

  /// Errors: usage when there is no good row; `path` stands for the whole.
  ExampleSet finish(const std::string& path);

 private:
  std::string find_difference(const ExampleRecord& record) const;

  const ReadOptions& options_;
  ExampleSet set_;
};

}  // namespace sluice
