#include "host/command/data_options.h"

#include "host/command/standard_output.h"
#include "kernels/base/error.h"

namespace sluice {
void ReadingOptions::add_to(Subcommand& command) {
  command.option("--format", format, "How the data are written; auto goes by name and content")
      .one_of({"auto", "csv", "tsv", "jsonl", "folder", "conll"})
      .group("Data");
  command.option("--text-column", text_column, "Column or JSON key of the text").group("Data");
  command.option("--label-column", label_column, "Column or JSON key of the label").group("Data");
  command.flag("--strict", strict, "Stop at the first bad row instead of leaving it out")
      .group("Data");
}

ReadOptions ReadingOptions::read_options(const std::string& split, TargetKind targets) const {
  ReadOptions options;
  options.format = format_from_name(format);
  options.text_column = text_column;
  options.label_column = label_column;
  options.strict = strict;
  options.split = split;
  options.targets = targets;
  return options;
}

void BuiltinOptions::add_to(Subcommand& command) {
  const char* group = "Built-in examples (used without --data)";
  command
      .option("--builtin", kind,
              "Of reviews to classify. contrast: word order decides, a bag of words must fail; "
              "long-memory: the first sentence decides, long before the end")
      .one_of({"contrast", "long-memory"})
      .group(group);
  command.option("--count", count, "Number of examples to make").group(group);
  command.option("--words", words, "Distinct words they use, about").group(group);
  command.option("--distance", distance, "Most tokens from the deciding word to the end")
      .group(group);
  command.option("--distance-min", distance_min, "Fewest tokens from there to the end")
      .group(group);
  command.option("--reviews-seed", seed, "Seed of the examples; the test set has the next one")
      .group(group);
}

ExampleSet load_examples(const std::string& path, const ReadOptions& options) {
  ExampleSet set = read_examples(path, options);
  if (set.bad_rows > 0) write_note(set.bad_row_summary());
  return set;
}

void check_width(const ExampleSet& set, std::int32_t width) {
  const auto named = [](std::int32_t of) {
    return of == 0 ? "tokens or texts" : "frames of " + std::to_string(of) + " numbers";
  };
  require(set.width == width, set.location(0) + ": expected " + named(width) +
                                  " as in the training data, got " + named(set.width));
}

}  // namespace sluice
