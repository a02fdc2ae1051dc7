// Where the readers of the formats put what they find: good rows and bad ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/data/examples.h"

namespace sluice {

/// Checks each row, keeps the good and counts the bad, by the rules of read_examples().
class ExampleSink {
 public:
  explicit ExampleSink(const ReadOptions& options) : options_(options) {}

  const ReadOptions& options() const { return options_; }

  /// The rows that follow come from `path`.
  void begin_file(const std::string& path) { set_.files.push_back(path); }

  void accept(std::int64_t line, std::string&& text, std::string_view label);
  /// Errors: usage, if strict.
  void reject(std::int64_t line, const std::string& reason);

  /// Errors: usage when there is no good row; `path` stands for the whole.
  ExampleSet finish(const std::string& path);

 private:
  const ReadOptions& options_;
  ExampleSet set_;
};

/// The label's and the text's column (or key) among `names`, by ReadOptions' rules: an index, -1
/// when there is none, -2 when the name comes twice.
struct ExampleColumns {
  static constexpr int absent = -1, ambiguous = -2;
  int label = absent;
  int text = absent;
};
ExampleColumns find_example_columns(const std::vector<std::string>& names,
                                    const ReadOptions& options);

}  // namespace sluice
