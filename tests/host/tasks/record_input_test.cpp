#include "host/tasks/record_input.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"
#include "tests/host/data/temporary_folder.h"

namespace sluice {
namespace {

InputForm form_of(const std::string& content, const std::string& name = "input",
                  const PredictionOptions& options = {}) {
  const TemporaryFolder folder;
  TextLines lines(folder.write(name, content));
  return find_input_form(lines, options);
}

TEST(InputForm, GoesByContent) {
  EXPECT_EQ(form_of("The film was dull.\nThe plot was good.\n"), InputForm::text);
  EXPECT_EQ(form_of("a cat sleeps\nthe dog barks\none bird sings\n"), InputForm::text)
      << "of one length by chance";
  EXPECT_EQ(form_of("The\nfilm\n\nIt\n"), InputForm::conll);
  EXPECT_EQ(form_of("The\tDT\nfilm\tNN\n"), InputForm::conll);
  EXPECT_EQ(form_of("The DT\nfilm NN\n\nIt PRP\n"), InputForm::conll);
  EXPECT_EQ(form_of("-DOCSTART- -X-\n\nEU B-ORG\n"), InputForm::conll);
  EXPECT_EQ(form_of("\xEF\xBB\xBF{\"tokens\":[\"a\"]}\n"), InputForm::json_lines);
  EXPECT_THROW(form_of("[\"one\", \"two\"]"), Error);
  EXPECT_THROW(form_of(std::string("a\0b\n", 4)), Error);
}

TEST(InputForm, GoesByNameAndByTheOptionBeforeThat) {
  EXPECT_EQ(form_of("a b c", "input.conll"), InputForm::conll);
  EXPECT_EQ(form_of("a b c", "input.tsv"), InputForm::conll);
  EXPECT_EQ(form_of("x", "input.jsonl"), InputForm::json_lines);
  PredictionOptions options;
  options.format = "text";
  EXPECT_EQ(form_of("a\n", "input.conll", options), InputForm::text);
  options.format = "jsonl";
  EXPECT_EQ(form_of("a b\n", "input", options), InputForm::json_lines);
  options = {};
  options.plain = true;
  EXPECT_EQ(form_of("{\"a\":1}\n", "input", options), InputForm::text);
}

TEST(RecordInput, CountsBadRecordsAndStopsAtThemIfStrict) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("x.jsonl", "{\"text\":\"a\"}\n\n{}\n{\"tokens\":[\"b\"]}\n");
  PredictionOptions options;
  TextLines lines(file);
  RecordInput input(lines, options, InputForm::json_lines, 0);
  ExampleRecord record;
  std::vector<std::int64_t> at;
  std::vector<bool> good;
  while (input.read(record)) {
    at.push_back(record.line);
    good.push_back(record.problem.empty());
  }
  EXPECT_EQ(at, (std::vector<std::int64_t>{1, 3, 4}));
  EXPECT_EQ(good, (std::vector<bool>{true, false, true}));
  ASSERT_EQ(input.notes().size(), 1u);
  EXPECT_NE(input.notes()[0].find("x.jsonl:3: "), std::string::npos) << input.notes()[0];

  options.strict = true;
  TextLines again(file);
  RecordInput strict(again, options, InputForm::json_lines, 0);
  EXPECT_TRUE(strict.read(record));
  EXPECT_THROW(strict.read(record), Error);
}

TEST(RecordInput, ATextMayBeIllFormedAndBlankLinesAreNone) {
  const TemporaryFolder folder;
  const PredictionOptions options;
  TextLines lines(folder.write("x", "a b\r\n\n\xFF\n"));
  RecordInput input(lines, options, InputForm::text, 0);
  ExampleRecord record;
  ASSERT_TRUE(input.read(record));
  ASSERT_TRUE(input.read(record));
  EXPECT_EQ(record.line, 3);
  EXPECT_TRUE(record.problem.empty());
  EXPECT_FALSE(input.read(record));
  EXPECT_EQ(input.notes().size(), 1u);
}

TEST(RecordInput, WhatTheModelDoesNotTakeIsAnError) {
  const TemporaryFolder folder;
  const PredictionOptions options;
  const std::string file = folder.write("x.jsonl", "{\"frames\":[[1,2]]}\n");
  for (const std::int32_t width : {0, 3}) {
    TextLines lines(file);
    RecordInput input(lines, options, InputForm::json_lines, width);
    ExampleRecord record;
    EXPECT_THROW(input.read(record), Error);
  }
}

}  // namespace
}  // namespace sluice
