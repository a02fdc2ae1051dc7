#include "host/data/examples.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/data/example_reading.h"
#include "tests/host/data/real_data.h"

namespace sluice {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;  // label, text

Rows rows_of(const ExampleSet& set) {
  Rows rows;
  for (const Example& example : set.examples) rows.emplace_back(example.label, example.text);
  return rows;
}

TEST_F(ReadExamples, CsvWithQuotesAndLineBreaks) {
  const ExampleSet set = read("a.csv",
                              "label,text\r\n"
                              "1,plain text\n"
                              "0,\"with, comma and \"\"quotes\"\"\"\r\n"
                              "\n"
                              "\" 1 \",\"two\nlines\"\n"
                              "0,a \"quote\" inside\n"
                              "1,\"no line end\"");
  EXPECT_EQ(rows_of(set), (Rows{{"1", "plain text"},
                                {"0", "with, comma and \"quotes\""},
                                {"1", "two\nlines"},
                                {"0", "a \"quote\" inside"},
                                {"1", "no line end"}}));
  EXPECT_EQ(set.bad_rows, 0);
  EXPECT_EQ(set.bad_row_summary(), "");
  EXPECT_EQ(set.location(2), folder_.path("a.csv") + ":5");
  EXPECT_EQ(set.location(3), folder_.path("a.csv") + ":7");
}

TEST_F(ReadExamples, TsvAndGzip) {
  const Rows expected{{"neg", "dull, really"}, {"pos", "a\ttab"}};
  const std::string content = "text\tlabel\ndull, really\tneg\n\"a\ttab\"\tpos\n";
  EXPECT_EQ(rows_of(read("a.tsv", content)), expected);
  EXPECT_EQ(rows_of(read("a.unknown", content)), expected);
  EXPECT_EQ(rows_of(read_examples(folder_.write_gzip("b.tsv.gz", content))), expected);
  EXPECT_EQ(rows_of(read("a.csv", content, {.format = FileFormat::tsv})), expected);
}

TEST_F(ReadExamples, JsonLines) {
  const std::string content =
      "{\"text\": \"caf\\u00e9 \\\"x\\\"\", \"label\": 1, \"id\": [1]}\n"
      "\n"
      "{\"label\":\"neg\",\"text\":\"two\\nlines\"}\r\n"
      "{\"label\":true,\"text\":\"x\"}";
  const Rows expected{{"1", "caf\xC3\xA9 \"x\""}, {"neg", "two\nlines"}, {"true", "x"}};
  EXPECT_EQ(rows_of(read("a.jsonl", content)), expected);
  EXPECT_EQ(rows_of(read("a", content)), expected);
  EXPECT_EQ(rows_of(read_examples(folder_.write_gzip("a.ndjson.gz", content))), expected);
  EXPECT_EQ(read("a.jsonl", content).examples[1].line, 3);
}

TEST_F(ReadExamples, ColumnsByNameAndByAlias) {
  const Rows expected{{"1", "good"}};
  EXPECT_EQ(rows_of(read("a.csv", "id,Review,Sentiment\n7,good,1\n")), expected);
  EXPECT_EQ(rows_of(read("b.csv", "sentence,text,label,class\nx,good,1,y\n")), expected);
  EXPECT_EQ(rows_of(read("c.csv", "stars,comment\n1,good\n",
                         {.label_column = "stars", .text_column = "comment"})),
            expected);
  EXPECT_EQ(rows_of(read("d.jsonl", "{\"class\":1,\"sentence\":\"good\"}\n")), expected);
  EXPECT_EQ(rows_of(read("e.csv", "\xEF\xBB\xBFlabel,text\n1,good\n")), expected);

  EXPECT_TRUE(has(refusal("f.csv", "label,body text\n1,good\n"), "f.csv:1:",
                  "no text column 'text' in the header, which has 'label', 'body text'"));
  EXPECT_TRUE(has(refusal("g.csv", "\n1,good\n0,bad\n"), "g.csv:2:", "no label column 'label'"));
  EXPECT_TRUE(has(refusal("h.csv", "label,text\n1,good\n", {.label_column = "stars"}),
                  "h.csv:1:", "no label column 'stars'"));
  EXPECT_TRUE(has(refusal("i.csv", "label,text,label\n1,a,2\n"), "i.csv:1:", "comes twice"));
}

TEST_F(ReadExamples, TheReviewFolderTree) {
  folder_.write("acl/train/pos/0_9.txt", "great<br />film");
  folder_.write("acl/train/pos/10_9.txt", "fine");
  folder_.write_gzip("acl/train/neg/0_2.txt.gz", "awful\n");
  folder_.write("acl/train/neg/notes.md", "not a review");
  folder_.write("acl/train/unsup/0_0.txt", "unlabelled");
  folder_.write("acl/train/urls_pos.txt", "not a review");
  folder_.write("acl/test/pos/0_8.txt", "nice");
  folder_.write("acl/test/neg/0_1.txt", "bad");
  const Rows train{{"neg", "awful\n"}, {"pos", "great<br />film"}, {"pos", "fine"}};
  EXPECT_EQ(rows_of(read_examples(folder_.path("acl"))), train);
  EXPECT_EQ(rows_of(read_examples(folder_.path("acl/train"))), train);
  const Rows test{{"neg", "bad"}, {"pos", "nice"}};
  EXPECT_EQ(rows_of(read_examples(folder_.path("acl"), {.split = "test"})), test);
  EXPECT_EQ(rows_of(read_examples(folder_.path("acl/test/"))), test);
  EXPECT_EQ(read_examples(folder_.path("acl")).location(2),
            folder_.path("acl/train/pos/10_9.txt") + ":1");

  EXPECT_TRUE(has(refusal_at(folder_.path("acl/test/pos")), "acl/test/pos:", "a folder for each"));
  EXPECT_TRUE(has(refusal_at(folder_.path("none"), {.format = FileFormat::folder}),
                  "none:", "No such file"));
}

TEST_F(ReadExamples, BadRowsAreCountedAndReported) {
  const ExampleSet set = read("a.csv",
                              "label,text\n"
                              "1,good\n"
                              "0\n"                      // 3: one field
                              "0,a,b\n"                  // 4: three fields
                              "1,caf\xE9 noir\n"         // 5: Latin-1
                              "1, \t \n"                 // 6: no text
                              " ,text\n"                 // 7: no label
                              "0,\"quoted\" and more\n"  // 8
                              "0,bad\n",
                              {.reported_rows = 6});
  EXPECT_EQ(rows_of(set), (Rows{{"1", "good"}, {"0", "bad"}}));
  EXPECT_EQ(set.bad_rows, 6);
  ASSERT_EQ(set.bad_reports.size(), 6u);
  const char* reasons[] = {"expected 2 fields as in the header, got 1",
                           "expected 2 fields as in the header, got 3",
                           "not UTF-8 at its byte 4, near 'caf\\xE9 noir'",
                           "the text is empty",
                           "the label is missing",
                           "text after the closing quote"};
  for (int i = 0; i < 6; ++i) {
    const std::string where = folder_.path("a.csv") + ":" + std::to_string(i + 3) + ":";
    EXPECT_TRUE(has(set.bad_reports[static_cast<std::size_t>(i)], where, reasons[i]));
  }
  EXPECT_TRUE(has(set.bad_row_summary(), "6 of 8 rows left out:", ":3: expected 2 fields"));

  const ExampleSet brief = read("a.csv", "label,text\n1,good\n0\n0\n0\n", {.reported_rows = 2});
  EXPECT_EQ(brief.bad_rows, 3);
  EXPECT_EQ(brief.bad_reports.size(), 2u);
  EXPECT_TRUE(brief.bad_row_summary().ends_with("..."));
}

TEST_F(ReadExamples, BadJsonLines) {
  const ExampleSet set = read("a.jsonl",
                              "{\"label\":1,\"text\":\"good\"}\n"
                              "{\"label\":1,\"text\":\"cut\n"
                              "[1,2]\n"
                              "{\"text\":\"no label\"}\n"
                              "{\"label\":1}\n"
                              "{\"label\":1.5,\"text\":\"x\"}\n"
                              "{\"label\":1,\"text\":null}\n"
                              "{\"label\":1,\"text\":\"\xFF\"}\n"
                              "{\"label\":1,\"text\":\"\\ud800\"}\n"
                              "{\"label\":null,\"text\":\"x\"}\n",
                              {.reported_rows = 20});
  EXPECT_EQ(rows_of(set), (Rows{{"1", "good"}}));
  EXPECT_EQ(set.bad_rows, 9);
  const char* reasons[] = {
      "expected a JSON object", "expected a JSON object", "no key 'label'",
      "no key 'text'",          "neither a string nor",   "the text is not a string",
      "not UTF-8 at byte 20",   "expected a JSON object", "neither a string nor"};
  ASSERT_EQ(set.bad_reports.size(), 9u);
  for (int i = 0; i < 9; ++i) {
    const std::string where = folder_.path("a.jsonl") + ":" + std::to_string(i + 2) + ":";
    EXPECT_TRUE(has(set.bad_reports[static_cast<std::size_t>(i)], where, reasons[i]));
  }
  const std::string deep = "{\"label\":1,\"text\":\"x\",\"more\":" + std::string(1'000'000, '[');
  EXPECT_EQ(read("b.jsonl", deep + "\n{\"label\":1,\"text\":\"good\"}\n").bad_rows, 1);
}

TEST_F(ReadExamples, StrictStopsAtTheFirstBadRow) {
  const ReadOptions strict{.strict = true};
  EXPECT_EQ(read("a.csv", "label,text\n1,good\n", strict).examples.size(), 1u);
  EXPECT_TRUE(has(refusal("a.csv", "label,text\n1,good\n0\n1, \n", strict), "a.csv:3:", "fields"));
  EXPECT_TRUE(has(refusal("a.csv", "label,text\n1,\xFF\n", strict), "a.csv:2:", "UTF-8"));
  EXPECT_TRUE(
      has(refusal("a.jsonl", "{\"label\":1,\"text\":\"x\"}\n{\n", strict), "a.jsonl:2:", "JSON"));
  folder_.write("tree/pos/empty.txt", " \n");
  EXPECT_TRUE(has(refusal_at(folder_.path("tree"), strict), "tree/pos/empty.txt:1:", "empty"));
}

TEST_F(ReadExamples, UnusableFilesAreRefused) {
  EXPECT_TRUE(has(refusal_at(folder_.path("missing.csv")), "missing.csv:", "No such file"));
  EXPECT_TRUE(has(refusal("empty.csv", ""), "empty.csv:", "empty"));
  EXPECT_TRUE(has(refusal_at(folder_.write_gzip("empty.csv.gz", "")), "empty.csv.gz:", "empty"));
  EXPECT_TRUE(has(refusal("blank.csv", "\n\r\n\n"), "blank.csv:1:", "blank lines only"));
  EXPECT_TRUE(has(refusal("header.csv", "label,text\n"), "header.csv:", "found none"));
  EXPECT_TRUE(has(refusal("bad.csv", "label,text\n1\n2\n"), "bad.csv: not one good row",
                  "bad.csv:2: expected 2 fields"));
  EXPECT_TRUE(has(refusal("utf16.csv", std::string("\xFF\xFEl\0", 4)), "utf16.csv:", "UTF-16"));
  EXPECT_TRUE(has(refusal("open.csv", "label,text\n1,good\n0,\"never closed\n1,more\n"),
                  "open.csv:3:", "never closed"));
  EXPECT_TRUE(
      has(refusal("open.tsv", "label\ttext\n0\ta\n1\t\"\n"), "open.tsv:3:", "never closed"));
}

TEST_F(ReadExamples, LongRecordsWorkUpToTheLimit) {
  const std::string text(3 << 20, 'x');
  const std::string csv = "label,text\n0,short\n1," + text + "\n0,\"" + text + "\"\n";
  const ExampleSet set = read("a.csv", csv);
  ASSERT_EQ(set.examples.size(), 3u);
  EXPECT_EQ(set.examples[1].text, text);
  EXPECT_EQ(set.examples[2].text, text);
  const std::string json = "{\"label\":1,\"text\":\"" + text + "\"}\n";
  EXPECT_EQ(read("a.jsonl", json).examples.at(0).text, text);

  const ReadOptions short_texts{.max_text_bytes = text.size() - 1};
  const ExampleSet rest = read("a.csv", csv, short_texts);
  EXPECT_EQ(rest.examples.size(), 1u);
  EXPECT_EQ(rest.bad_rows, 2);
  EXPECT_NE(rest.bad_reports.at(0).find("a.csv:3: the text is 3145728 bytes long, more than"),
            std::string::npos)
      << rest.bad_reports.at(0);

  const ReadOptions narrow{.max_record_bytes = 1 << 20};
  EXPECT_TRUE(has(refusal("a.csv", csv, narrow), "a.csv:3:", "longer than 1048576 bytes"));
  EXPECT_TRUE(
      has(refusal("b.csv", "label,text\n1,\"" + text, narrow), "b.csv:2:", "never closed?"));
  EXPECT_TRUE(has(refusal("a.jsonl", json, narrow), "a.jsonl:1:", "longer than 1048576 bytes"));
  folder_.write("tree/pos/1.txt", text);
  EXPECT_TRUE(has(refusal_at(folder_.path("tree"), narrow), "tree/pos/1.txt:", "longer than"));
}

// The reader's buffer ends anywhere: every split of a record between two reads gives the same rows.
TEST_F(ReadExamples, RecordsMayStraddleReads) {
  const std::string record = "1,\"a \"\"b\"\"\r\n, c\"\r\n";
  for (std::size_t shift = 0; shift <= record.size(); ++shift) {
    std::string content = "label,text\n0," + std::string(65536 - 14 - shift, 'x') + "\n";
    content += record + record;
    const ExampleSet set = read("a.csv", content);
    ASSERT_EQ(set.bad_rows, 0) << shift;
    ASSERT_EQ(set.examples.size(), 3u) << shift;
    EXPECT_EQ(set.examples[1].text, "a \"b\"\r\n, c") << shift;
    EXPECT_EQ(set.examples[2].text, "a \"b\"\r\n, c") << shift;
    EXPECT_EQ(set.examples[2].line, 5) << shift;
  }
}

TEST(Examples, OfAProgramAreNamedByTheirPlace) {
  ExampleSet set;
  set.examples.resize(2);
  EXPECT_EQ(set.location(1), "example 2");
}

TEST(RealReviews, AreReadWhole) {
  const std::string imdb = real_data_file("imdb/test.csv.gz");
  const std::string sst = real_data_file("sst2/train.csv");
  if (imdb.empty() || sst.empty()) GTEST_SKIP() << real_data_advice("imdb/ or sst2/");
  const ExampleSet reviews = read_examples(imdb, {.strict = true});
  std::size_t positive = 0, bytes = 0;
  for (const Example& example : reviews.examples) {
    positive += example.label == "1";
    bytes += example.text.size();
  }
  EXPECT_EQ(reviews.examples.size(), 25'000u);
  EXPECT_EQ(positive, 12'500u);
  EXPECT_EQ(bytes, 32'350'685u);
  EXPECT_EQ(reviews.examples.back().line, 25'001);
  EXPECT_EQ(read_examples(sst, {.strict = true}).examples.size(), 6'920u);
}

}  // namespace
}  // namespace sluice
