#include "host/data/json_records.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/data/example_reading.h"

namespace sluice {
namespace {

using Words = std::vector<std::string>;
using Floats = std::vector<float>;

const ReadOptions tagged{.targets = TargetKind::step, .reported_rows = 40};
const ReadOptions one_label{.reported_rows = 40};

using JsonRecords = ReadExamples;

TEST_F(JsonRecords, TokensWithALabelForEach) {
  const std::string content =
      "\xEF\xBB\xBF{\"tokens\": [\"EU\", \"New York\", \"caf\\u00e9\"], \"labels\": [\"B\", 7, "
      "true]}\r\n"
      "   \n"
      "{\"tags\":[\" O \"],\"id\":1,\"Words\":[\"x\"],\"text\":\"x\"}  ";
  for (const char* name : {"a.jsonl", "a.json", "a"}) {
    const ExampleSet set = read(name, content, tagged);
    ASSERT_EQ(set.examples.size(), 2u) << name;
    EXPECT_EQ(set.input, InputKind::tokens);
    EXPECT_EQ(set.examples[0].tokens, (Words{"EU", "New York", "caf\xC3\xA9"}));
    EXPECT_EQ(set.examples[0].labels, (Words{"B", "7", "true"}));
    EXPECT_EQ(set.examples[1].tokens, (Words{"x"}));
    EXPECT_EQ(set.examples[1].labels, (Words{"O"}));
    EXPECT_EQ(set.examples[1].line, 3);
  }
  EXPECT_EQ(read_examples(folder_.write_gzip("a.jsonl.gz", content), tagged).examples.size(), 2u);
  ReadOptions named = tagged;
  named.text_column = "form";
  named.label_column = "upos";
  const std::string other = "{\"form\":[\"x\"],\"upos\":[\"N\"],\"tokens\":[\"y\"],\"labels\":[1]}";
  EXPECT_EQ(read("b.jsonl", other, named).examples[0].tokens, (Words{"x"}));
  EXPECT_EQ(read("b.jsonl", other, named).examples[0].labels, (Words{"N"}));
}

TEST_F(JsonRecords, ListsThatCannotBeLabelledAreLeftOut) {
  const ExampleSet set = read("a.jsonl",
                              "{\"tokens\":[\"good\"],\"labels\":[\"O\"]}\n"
                              "{\"tokens\":[\"a\",\"b\"],\"labels\":[\"O\"]}\n"
                              "{\"tokens\":[],\"labels\":[]}\n"
                              "{\"tokens\":[\"a\",\"\"],\"labels\":[\"O\",\"O\"]}\n"
                              "{\"tokens\":[\" \"],\"labels\":[\"O\"]}\n"
                              "{\"tokens\":[\"a\"],\"labels\":[\"\"]}\n"
                              "{\"tokens\":[\"a\"],\"labels\":[1.5]}\n"
                              "{\"tokens\":[\"a\"],\"labels\":[null]}\n"
                              "{\"tokens\":[\"a\", 2],\"labels\":[\"O\",\"O\"]}\n"
                              "{\"tokens\":\"a b\",\"labels\":[\"O\",\"O\"]}\n"
                              "{\"tokens\":[\"a\"],\"labels\":\"O\"}\n"
                              "{\"tokens\":[\"a\"]}\n"
                              "{\"labels\":[\"O\"]}\n"
                              "{\"tokens\":[\"a\\tb\"],\"labels\":[\"O\"]}\n"
                              "{\"tokens\":[\"a\"],\"labels\":[\"O\\n\\u0000O\"]}\n"
                              "{\"tokens\":[\"\xFF\"],\"labels\":[\"O\"]}\n"
                              "{\"tokens\":[\"a\"],\"labels\":[\"O\"]\n"
                              "{\"frames\":[[1]],\"labels\":[\"O\"]}\n"
                              "{\"text\":\"a\",\"labels\":[\"O\"]}\n",
                              tagged);
  EXPECT_EQ(set.examples.size(), 1u);
  EXPECT_EQ(
      reasons(set),
      (Words{"2: expected a label for each step, got 1 for 2 tokens",
             "3: the list 'tokens' is empty", "4: token 2 is empty", "5: token 1 is empty",
             "6: label 1 is empty", "7: label 1 is neither a string nor an integer",
             "8: label 1 is neither a string nor an integer", "9: token 2 is not a string",
             "10: expected a list of tokens or frames under 'tokens', got a string",
             "11: expected a list with a label for each step, got one label",
             "12: no key 'labels' for the labels of the steps",
             "13: no key 'tokens' or 'frames' for the steps",
             "14: token 1 holds a control character: 'a\\x09b'",
             "15: label 1 holds a control character: 'O\\x0A\\x00O'", "16: not UTF-8 at byte 13",
             "17: expected a JSON object, got '{\"tokens\":[\"a\"],\"labels\":[\"O\"]'",
             "18: expected tokens as in the rows before, got frames",
             "19: expected a list of tokens or frames under 'text', got a string"}));
  EXPECT_EQ(set.bad_rows, 18);
}

TEST_F(JsonRecords, FramesWithALabelOrOneForEach) {
  const ExampleSet rows =
      read("a.jsonl",
           "{\"frames\": [[1, -2.5], [0.1, 1e-50], [3, 4]], \"label\": \"up\"}\n"
           "{\"frames\": [[5, 6]], \"label\": \"down\"}\n",
           one_label);
  ASSERT_EQ(rows.examples.size(), 2u);
  EXPECT_EQ(rows.input, InputKind::frames);
  EXPECT_EQ(rows.width, 2);
  EXPECT_EQ(rows.steps(0), 3u);
  EXPECT_EQ(rows.examples[0].frames, (Floats{1, -2.5f, 0.1f, 0, 3, 4}));
  EXPECT_EQ(rows.examples[0].label, "up");

  const ExampleSet steps =
      read("b.jsonl", "{\"frames\": [[1], [2]], \"labels\": [\"up\", \"down\"]}", tagged);
  EXPECT_EQ(steps.width, 1);
  EXPECT_EQ(steps.examples[0].labels, (Words{"up", "down"}));
}

TEST_F(JsonRecords, FramesOfOtherWidthsOrWithoutEndAreLeftOut) {
  const ExampleSet set = read("a.jsonl",
                              "{\"frames\":[[1,2]],\"label\":1}\n"
                              "{\"frames\":[[1,2],[3]],\"label\":1}\n"
                              "{\"frames\":[[1,2,3]],\"label\":1}\n"
                              "{\"frames\":[],\"label\":1}\n"
                              "{\"frames\":[[]],\"label\":1}\n"
                              "{\"frames\":[[1,2],[NaN,1]],\"label\":1}\n"
                              "{\"frames\":[[1,-Infinity]],\"label\":1}\n"
                              "{\"frames\":[[1,1e39]],\"label\":1}\n"
                              "{\"frames\":[[1,-1e999]],\"label\":1}\n"
                              "{\"frames\":[[1,\"2\"]],\"label\":1}\n"
                              "{\"frames\":[[1,null]],\"label\":1}\n"
                              "{\"frames\":[[1,2],3],\"label\":1}\n"
                              "{\"frames\":[[1,2]]}\n"
                              "{\"text\":\"a text\",\"label\":1}\n"
                              "{\"text\":\"NaN\",\"label\":NaN,\n"
                              "{\"text\":\"NaN \\\" Infinity\",\"label\":1,\n",
                              one_label);
  EXPECT_EQ(set.examples.size(), 1u);
  EXPECT_EQ(
      reasons(set),
      (Words{"2: expected frames of 2 numbers as the first, got 1 in frame 2",
             "3: expected frames of 2 numbers as in the rows before, got 3",
             "4: the list 'frames' is empty", "5: frame 1 is empty",
             "6: expected finite numbers, got NaN or Infinity",
             "7: expected finite numbers, got NaN or Infinity",
             "8: frame 1 holds a number that is not finite as a float32",
             "9: expected finite numbers, got one past a double's range",
             "10: frame 1 holds something else than a number",
             "11: frame 1 holds something else than a number",
             "12: frame 2 is not a list of numbers", "13: no key 'label' for the label",
             "14: expected frames as in the rows before, got text",
             "15: expected finite numbers, got NaN or Infinity",
             "16: expected a JSON object, got '{\"text\":\"NaN \\\" Infinity\",\"label\":1,'"}));
}

TEST_F(JsonRecords, OneLabelGoesWithATextOrAList) {
  const ExampleSet tokens = read("a.jsonl", "{\"tokens\":[\"a\",\"b\"],\"label\":\"pos\"}\n");
  EXPECT_EQ(tokens.input, InputKind::tokens);
  EXPECT_EQ(tokens.examples[0].tokens, (Words{"a", "b"}));
  const ExampleSet text =
      read("b.jsonl", "{\"tokens\":[\"a\"],\"text\":\"b\",\"label\":\"pos\"}\n");
  EXPECT_EQ(text.input, InputKind::text);
  EXPECT_EQ(text.examples[0].text, "b");
  // A list in a text's place is a mistake.
  EXPECT_TRUE(has(refusal("c.jsonl", "{\"text\":[\"a b\",\"c d\"],\"label\":1}\n"),
                  "c.jsonl:", "c.jsonl:1: the text is not a string"));
}

TEST(JsonRecordParser, TakesRecordsWithoutLabels) {
  const ReadOptions options{.targets = TargetKind::none};
  const auto parser = make_record_parser(FileFormat::json_lines, options);
  ExampleRecord record;
  ASSERT_TRUE(parser->take("\xEF\xBB\xBF{\"tokens\":[\"a\",\"b\"],\"labels\":[1]}\r", 1, record));
  EXPECT_EQ(record.problem, "");
  EXPECT_EQ(record.input, InputKind::tokens);
  EXPECT_EQ(record.example.tokens, (Words{"a", "b"}));
  EXPECT_TRUE(record.example.labels.empty());
  EXPECT_FALSE(parser->take(" ", 2, record));
  ASSERT_TRUE(parser->take("{\"frames\":[[1,2,3]]}", 3, record));
  EXPECT_EQ(record.input, InputKind::frames);
  EXPECT_EQ(record.width, 3);
  EXPECT_EQ(record.line, 3);
  ASSERT_TRUE(parser->take("{\"sentence\":\"a text\"}", 4, record));
  EXPECT_EQ(record.input, InputKind::text);
  ASSERT_TRUE(parser->take("{\"tokens\":[\"\"]}", 5, record));
  EXPECT_EQ(record.problem, "token 1 is empty");
  EXPECT_FALSE(parser->finish(record));
  EXPECT_THROW(make_record_parser(FileFormat::csv, options), Error);
}

}  // namespace
}  // namespace sluice
