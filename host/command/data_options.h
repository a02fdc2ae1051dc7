// The options that say where examples come from, shared by train and eval.
#pragma once

#include <string>

#include "host/command/command_line.h"
#include "host/data/builtin_reviews.h"
#include "host/data/examples.h"

namespace sluice {

struct ReadingOptions {
  std::string format = "auto";
  std::string text_column = "text";
  std::string label_column = "label";
  bool strict = false;

  void add_to(Subcommand& command);
  /// `split`: which half of a folder that holds train/ and test/.
  ReadOptions read_options(const std::string& split) const;
};

struct BuiltinOptions {
  std::string task = "contrast";
  std::int32_t count = 10000;
  std::int32_t words = 2000;
  std::int32_t distance = 20;
  std::int32_t distance_min = 0;
  std::uint64_t seed = 1;

  void add_to(Subcommand& command);
  BuiltinReviewsOptions reviews() const;

  /// For a run's notes, so that eval can make reviews of the same kind.
  std::string to_json() const;
  static BuiltinOptions from_json(const std::string& json, const std::string& where);
};

/// Reads a file or folder and says on standard error how many rows were left out.
/// Errors: as read_examples().
ExampleSet load_examples(const std::string& path, const ReadOptions& options);

/// The held-out reviews that go with `options`: another seed, `count` of them.
ExampleSet builtin_test_reviews(BuiltinOptions options, std::int32_t count);

}  // namespace sluice
