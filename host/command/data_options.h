// The options that say where examples come from, shared by train and eval.
#pragma once

#include <string>

#include "host/command/command_line.h"
#include "host/data/examples.h"
#include "host/tasks/builtin_data.h"

namespace sluice {

struct ReadingOptions {
  std::string format = "auto";
  std::string text_column = "text";
  std::string label_column = "label";
  bool strict = false;

  void add_to(Subcommand& command);
  /// `split`: which half of a folder that holds train/ and test/; `targets`: what has labels.
  ReadOptions read_options(const std::string& split, TargetKind targets) const;
};

struct BuiltinOptions : BuiltinData {
  void add_to(Subcommand& command);
};

/// Reads a file or folder and says on standard error how many rows were left out.
/// Errors: as read_examples().
ExampleSet load_examples(const std::string& path, const ReadOptions& options);

/// Errors: usage, with the file, unless `set` holds frames of `width` numbers, or for 0 tokens.
void check_width(const ExampleSet& set, std::int32_t width);

}  // namespace sluice
