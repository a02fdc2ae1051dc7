#include "host/data/conll_records.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/host/data/example_reading.h"

namespace sluice {
namespace {

using Words = std::vector<std::string>;
using Sentences = std::vector<std::pair<Words, Words>>;  // tokens, labels

Sentences sentences_of(const ExampleSet& set) {
  Sentences sentences;
  for (const Example& example : set.examples)
    sentences.emplace_back(example.tokens, example.labels);
  return sentences;
}

const ReadOptions tagged{.targets = TargetKind::step, .reported_rows = 20};

using Conll = ReadExamples;

TEST_F(Conll, ReadsTwoColumnsAndTheFirstAndLastOfMore) {
  const std::string content =
      "-DOCSTART- -X- -X- O\n"
      "\n"
      "EU NNP B-NP B-ORG\n"
      "rejects VBZ B-VP O\n"
      "\n"
      "\n"
      "-DOCSTART-\tO\n"
      "Peter B-PER\n"
      "\n";
  const Sentences expected{{{"EU", "rejects"}, {"B-ORG", "O"}}, {{"Peter"}, {"B-PER"}}};
  const ExampleSet set = read("a.conll", content, tagged);
  EXPECT_EQ(sentences_of(set), expected);
  EXPECT_EQ(set.input, InputKind::tokens);
  EXPECT_EQ(set.targets, TargetKind::step);
  EXPECT_EQ(set.width, 0);
  EXPECT_EQ(set.bad_rows, 0);
  EXPECT_EQ(set.location(0), folder_.path("a.conll") + ":3");
  EXPECT_EQ(set.location(1), folder_.path("a.conll") + ":8");
  EXPECT_EQ(set.steps(0), 2u);
  for (const char* name : {"a.txt", "a.tsv", "a", "a.bio"}) {
    EXPECT_EQ(sentences_of(read(name, content, tagged)), expected) << name;
  }
  EXPECT_EQ(sentences_of(read_examples(folder_.write_gzip("b.conll.gz", content), tagged)),
            expected);
}

TEST_F(Conll, TakesLinesAsPeopleHaveThem) {
  const ExampleSet set = read("a.conll",
                              "\xEF\xBB\xBF"
                              "caf\xC3\xA9\tB\r\n"    // a byte-order mark and CR LF
                              "a \t  x \t O  \t\r\n"  // blanks and tabs mixed, and behind
                              "  b O\r\n"             // and in front
                              "# O\r\n"               // no comment
                              " \t \r\n"              // blank
                              "<br/> O\n"
                              "last O",  // no line end
                              tagged);
  EXPECT_EQ(sentences_of(set), (Sentences{{{"caf\xC3\xA9", "a", "b", "#"}, {"B", "O", "O", "O"}},
                                          {{"<br/>", "last"}, {"O", "O"}}}));
  EXPECT_EQ(set.bad_rows, 0);
}

TEST_F(Conll, OneSentenceOrOneTokenIsEnough) {
  EXPECT_EQ(sentences_of(read("a.conll", "x O\ny B", tagged)),
            (Sentences{{{"x", "y"}, {"O", "B"}}}));
  EXPECT_EQ(sentences_of(read("b.conll", "x O", tagged)), (Sentences{{{"x"}, {"O"}}}));
  EXPECT_EQ(sentences_of(read("c.conll", "{ O\n} O\n", tagged)),
            (Sentences{{{"{", "}"}, {"O", "O"}}}));
  EXPECT_EQ(sentences_of(read("d", "[ O\n", tagged)), (Sentences{{{"["}, {"O"}}}));
}

TEST_F(Conll, ABadLineLeavesItsSentenceOut) {
  const ExampleSet set = read("a.conll",
                              "good O\n"
                              "\n"
                              "x O\n"
                              "alone\n"  // 4
                              "y O\n"
                              "\n"
                              "\tO\n"  // 7: no token
                              "\n"
                              "x O\n"
                              "caf\xE9 O\n"  // 10: Latin-1
                              "\n"
                              "a\x01z O\n"  // 12
                              "x O\n"
                              "\n"
                              "good O",
                              tagged);
  EXPECT_EQ(sentences_of(set), (Sentences{{{"good"}, {"O"}}, {{"good"}, {"O"}}}));
  EXPECT_EQ(set.bad_rows, 4);
  EXPECT_EQ(reasons(set), (Words{"4: expected a token and its label, got 'alone' alone",
                                 "7: expected a token and its label, got 'O' alone",
                                 "10: not UTF-8, near 'caf\\xE9 O'",
                                 "12: token 1 holds a control character: 'a\\x01z'"}));
  EXPECT_TRUE(has(set.bad_row_summary(), "4 of 6 rows left out:", "a.conll:4: expected a token"));

  ReadOptions strict = tagged;
  strict.strict = true;
  EXPECT_TRUE(
      has(refusal("b.conll", "x O\n\ny\n", strict), "b.conll:3: expected a token", "strict"));
}

TEST_F(Conll, ASentenceWithoutEndIsLeftOutAndNotKept) {
  std::string content = "good O\n\n";
  for (int i = 0; i < 1000; ++i) content += "token O\n";
  ReadOptions options = tagged;
  options.max_text_bytes = 100;
  const ExampleSet set = read("a.conll", content + "\nmore O\n", options);
  EXPECT_EQ(sentences_of(set), (Sentences{{{"good"}, {"O"}}, {{"more"}, {"O"}}}));
  EXPECT_EQ(reasons(set), (Words{"3: the tokens are more than 100 bytes; are the blank lines "
                                 "between sentences missing?"}));
}

TEST_F(Conll, RefusesFilesOfOtherKinds) {
  EXPECT_TRUE(has(refusal("empty.conll", "", tagged), "empty.conll: the file is empty",
                  "tokens or frames with a label for each"));
  EXPECT_TRUE(has(refusal("blank.conll", "\n \r\n\t\n", tagged), "blank.conll:", "found none"));
  EXPECT_TRUE(has(refusal("doc.conll", "-DOCSTART- O\n\n", tagged), "doc.conll:", "found none"));
  EXPECT_TRUE(has(refusal("bad.conll", "x\n\ny\n", tagged), "bad.conll: not one good row",
                  "bad.conll:1: expected a token and its label"));
  EXPECT_TRUE(
      has(refusal("u.conllu", "1\tx\tx\tNOUN\n", tagged), "u.conllu: CoNLL-U has more", "awk"));
  EXPECT_TRUE(has(refusal("a.csv", "text,label\nx,1\n", tagged), "a.csv: csv has no lists",
                  "expected jsonl or conll"));
  EXPECT_TRUE(has(refusal("a", "[{\"tokens\": [\"x\"]},\n {\"tokens\": [\"y\"]}]\n", tagged),
                  "a: looks like a JSON array", "expected JSON lines"));
  EXPECT_TRUE(has(refusal("a.conll", "x O\n"), "a.conll: conll has a label for each token",
                  "expected one for each text"));
  folder_.write("tree/pos/1.txt", "x");
  EXPECT_TRUE(has(refusal_at(folder_.path("tree"), tagged), "tree: folder has no lists", "conll"));
  ReadOptions csv = tagged;
  csv.format = FileFormat::csv;
  EXPECT_TRUE(has(refusal("b.conll", "x O\n", csv), "b.conll: csv has no lists", "conll"));
}

// What a predictor does: line by line, without labels.
TEST(ConllRecords, GivesRecordsAsSoonAsTheyAreWhole) {
  const ReadOptions options{.targets = TargetKind::none};
  const auto parser = make_record_parser(FileFormat::conll, options);
  ExampleRecord record;
  EXPECT_FALSE(parser->take("\xEF\xBB\xBFJohn\r", 1, record));
  EXPECT_FALSE(parser->take("lives", 2, record));
  ASSERT_TRUE(parser->take("", 3, record));
  EXPECT_EQ(record.problem, "");
  EXPECT_EQ(record.input, InputKind::tokens);
  EXPECT_EQ(record.example.tokens, (Words{"John", "lives"}));
  EXPECT_TRUE(record.example.labels.empty());
  EXPECT_EQ(record.example.line, 1);
  EXPECT_FALSE(parser->take("", 4, record));
  EXPECT_FALSE(parser->take("a NN O", 5, record));  // labels are not read
  EXPECT_FALSE(parser->take("b NN O", 6, record));
  ASSERT_TRUE(parser->take("-DOCSTART-", 7, record));
  EXPECT_EQ(record.example.tokens, (Words{"a", "b"}));
  EXPECT_FALSE(parser->take("one word", 8, record));
  EXPECT_FALSE(parser->take("a sentence in a line", 9, record));
  ASSERT_TRUE(parser->finish(record));
  EXPECT_EQ(record.problem,
            "expected one token a line, or as many columns as in the line before; got "
            "'a sentence in a line'");
  EXPECT_EQ(record.line, 9);
  EXPECT_EQ(record.example.line, 8);
  EXPECT_FALSE(parser->finish(record));
}

}  // namespace
}  // namespace sluice
