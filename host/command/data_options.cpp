#include "host/command/data_options.h"

#include "host/command/standard_output.h"
#include "host/json/json_fields.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

JsonFields fields_of(BuiltinOptions& options) {
  return {json_field("builtin", options.task),
          json_field("count", options.count),
          json_field("words", options.words),
          json_field("distance", options.distance),
          json_field("distance-min", options.distance_min),
          json_field("reviews-seed", options.seed)};
}

}  // namespace

void ReadingOptions::add_to(Subcommand& command) {
  command.option("--format", format, "How the data are written; auto goes by name and content")
      .one_of({"auto", "csv", "tsv", "jsonl", "folder", "conll"})
      .group("Data");
  command.option("--text-column", text_column, "Column or JSON key of the text").group("Data");
  command.option("--label-column", label_column, "Column or JSON key of the label").group("Data");
  command.flag("--strict", strict, "Stop at the first bad row instead of leaving it out")
      .group("Data");
}

ReadOptions ReadingOptions::read_options(const std::string& split) const {
  ReadOptions options;
  options.format = format_from_name(format);
  options.text_column = text_column;
  options.label_column = label_column;
  options.strict = strict;
  options.split = split;
  return options;
}

void BuiltinOptions::add_to(Subcommand& command) {
  const char* group = "Built-in reviews (used without --data)";
  command
      .option("--builtin", task,
              "contrast: word order decides, a bag of words must fail; long-memory: the first "
              "sentence decides, long before the end")
      .one_of({"contrast", "long-memory"})
      .group(group);
  command.option("--count", count, "Number of reviews to make").group(group);
  command.option("--words", words, "Distinct words they use, about").group(group);
  command.option("--distance", distance, "Most tokens from the deciding word to the end")
      .group(group);
  command.option("--distance-min", distance_min, "Fewest tokens from there to the end")
      .group(group);
  command.option("--reviews-seed", seed, "Seed of the reviews; the test set has the next one")
      .group(group);
}

BuiltinReviewsOptions BuiltinOptions::reviews() const {
  BuiltinReviewsOptions options;
  options.task = task == "contrast" ? BuiltinTask::contrast : BuiltinTask::long_memory;
  options.count = count;
  options.seed = seed;
  options.vocabulary = words;
  options.distance_min = distance_min;
  options.distance_max = distance;
  return options;
}

std::string BuiltinOptions::to_json() const {
  BuiltinOptions copy = *this;
  return write_fields(fields_of(copy)).dump();
}

BuiltinOptions BuiltinOptions::from_json(const std::string& json, const std::string& where) {
  BuiltinOptions options;
  read_fields(json, fields_of(options), where, "its note on the built-in reviews");
  return options;
}

ExampleSet load_examples(const std::string& path, const ReadOptions& options) {
  ExampleSet set = read_examples(path, options);
  if (set.bad_rows > 0) write_note(set.bad_row_summary());
  return set;
}

ExampleSet builtin_test_reviews(BuiltinOptions options, std::int32_t count) {
  options.count = count;
  ++options.seed;
  return builtin_reviews(options.reviews());
}

}  // namespace sluice
