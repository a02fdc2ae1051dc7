#include "host/text/tokenizer.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "host/data/examples.h"
#include "host/data/random_sequence.h"
#include "tests/host/data/real_data.h"

namespace sluice {
namespace {

using Tokens = std::vector<std::string>;

Tokens copied(const std::vector<std::string_view>& tokens) {
  return {tokens.begin(), tokens.end()};
}

Tokens tokens_of(std::string_view text, TokenizerOptions options = {}) {
  return copied(Tokenizer(options).split(text));
}

TEST(Tokenizer, SplitsWordsAndPunctuation) {
  EXPECT_EQ(tokens_of("I didn't like it, at 3.14 or 1,000!"),
            (Tokens{"i", "didn't", "like", "it", ",", "at", "3.14", "or", "1,000", "!"}));
  EXPECT_EQ(tokens_of("a well-made film... (really)"),
            (Tokens{"a", "well", "-", "made", "film", ".", ".", ".", "(", "really", ")"}));
  EXPECT_EQ(tokens_of("snake_case e.g. U.S.A. end."),
            (Tokens{"snake_case", "e.g", ".", "u.s.a", ".", "end", "."}));
  EXPECT_EQ(tokens_of("'quoted' rock'n'roll"), (Tokens{"'", "quoted", "'", "rock'n'roll"}));
}

TEST(Tokenizer, GivesNothingForBlankText) {
  EXPECT_EQ(tokens_of(""), Tokens{});
  EXPECT_EQ(tokens_of(" \t\r\n\v\f"), Tokens{});
  EXPECT_EQ(tokens_of("<br /><br />"), Tokens{});
  EXPECT_EQ(tokens_of("\xC2\xA0\xE3\x80\x80\xEF\xBB\xBF"), Tokens{});  // U+00A0 U+3000 U+FEFF
  EXPECT_EQ(tokens_of(std::string_view("a\0b\x01\x7F", 5)), (Tokens{"a", "b"}));
  EXPECT_EQ(tokens_of("a\xC2\x96z"), (Tokens{"a", "z"}));  // U+0096, a control character
}

TEST(Tokenizer, FoldsCaseByOption) {
  EXPECT_EQ(tokens_of("STRASSE Stra\xC3\x9F"
                      "e \xC3\x89T\xC3\x89"),
            (Tokens{"strasse", "strasse", "\xC3\xA9t\xC3\xA9"}));
  // Greek: both small sigmas fold to one.
  EXPECT_EQ(tokens_of("\xCE\xA3\xCE\x9F\xCE\xA6\xCE\x9F\xCE\xA3"),
            tokens_of("\xCF\x83\xCE\xBF\xCF\x86\xCE\xBF\xCF\x82"));
  EXPECT_EQ(tokens_of("Great \xC3\x89T\xC3\x89", {.fold_case = false}),
            (Tokens{"Great", "\xC3\x89T\xC3\x89"}));
}

TEST(Tokenizer, ComposedAndDecomposedTextAreOne) {
  EXPECT_EQ(tokens_of("cafe\xCC\x81"), (Tokens{"caf\xC3\xA9"}));
  EXPECT_EQ(tokens_of("caf\xC3\xA9"), (Tokens{"caf\xC3\xA9"}));
}

TEST(Tokenizer, SplitsOtherScripts) {
  // "The cat is here!" in Russian; "I like films" in Chinese, by words and not by characters.
  EXPECT_EQ(tokens_of("\xD0\x9A\xD0\xBE\xD1\x82 \xD1\x82\xD1\x83\xD1\x82!"),
            (Tokens{"\xD0\xBA\xD0\xBE\xD1\x82", "\xD1\x82\xD1\x83\xD1\x82", "!"}));
  EXPECT_EQ(tokens_of("\xE6\x88\x91\xE5\x96\x9C\xE6\xAC\xA2\xE7\x94\xB5\xE5\xBD\xB1"),
            (Tokens{"\xE6\x88\x91", "\xE5\x96\x9C\xE6\xAC\xA2", "\xE7\x94\xB5\xE5\xBD\xB1"}));
  EXPECT_EQ(tokens_of("ok \xF0\x9F\x98\x80"), (Tokens{"ok", "\xF0\x9F\x98\x80"}));
}

TEST(Tokenizer, TakesHtmlBreaksForSpaces) {
  for (const char* tag : {"<br />", "<br>", "<BR>", "<Br/>", "</br>", "< br / >", "<br\n/>",
                          "<br clear=\"all\">", "<br /><br />"}) {
    EXPECT_EQ(tokens_of(std::string("end") + tag + "begin"), (Tokens{"end", "begin"})) << tag;
  }
  EXPECT_EQ(tokens_of("a<br", {}), (Tokens{"a", "<", "br"}));
  EXPECT_EQ(tokens_of("a<bread>b"), (Tokens{"a", "<", "bread", ">", "b"}));
  EXPECT_EQ(tokens_of("a<br b<i>", {}), (Tokens{"a", "<", "br", "b", "<", "i", ">"}));
  EXPECT_EQ(tokens_of("a<br>b", {.strip_html_breaks = false}), (Tokens{"a", "<", "br", ">", "b"}));
}

TEST(Tokenizer, DropsPunctuationByOption) {
  EXPECT_EQ(tokens_of("Well-made, 7/10 \xE2\x80\x93 yes!", {.keep_punctuation = false}),
            (Tokens{"well", "made", "7", "10", "yes"}));
}

TEST(Tokenizer, IllFormedUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(tokens_of("good\xFF film"), (Tokens{"good", "\xEF\xBF\xBD", "film"}));
  EXPECT_EQ(tokens_of("cut \xE2\x82"), (Tokens{"cut", "\xEF\xBF\xBD"}));
}

TEST(Tokenizer, ViewsOfOneCallDoNotReachIntoTheNext) {
  Tokenizer tokenizer;
  EXPECT_EQ(tokenizer.split("one two three").size(), 3u);
  EXPECT_EQ(copied(tokenizer.split("four")), Tokens{"four"});
}

// The fast path's rules are those of ICU: every string of up to five characters over one of each
// kind of character that UAX #29 tells apart in ASCII, and longer ones at random.
TEST(Tokenizer, AsciiPathAgreesWithIcu) {
  const std::string alphabet = "aB7_.':;,@-\"\x01 ";
  const auto kinds = static_cast<std::uint32_t>(alphabet.size());
  Tokenizer tokenizer({.strip_html_breaks = false});
  const auto agree = [&](const std::string& text) {
    const Tokens fast = copied(tokenizer.split(text));
    ASSERT_EQ(fast, copied(tokenizer.split_by_icu(text))) << text;
  };
  for (std::uint32_t length = 1, count = kinds; length <= 4; ++length, count *= kinds) {
    for (std::uint32_t code = 0; code < count; ++code) {
      std::string text;
      for (std::uint32_t i = 0, rest = code; i < length; ++i, rest /= kinds) {
        text += alphabet[rest % kinds];
      }
      ASSERT_NO_FATAL_FAILURE(agree(text));
    }
  }
  RandomSequence random(1, 0);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint32_t j = 5 + random.below(20); j > 0; --j) {
      text += static_cast<char>(random.below(128));
    }
    ASSERT_NO_FATAL_FAILURE(agree(text));
  }
}

// On IMDB's reviews, too, both paths give the same tokens.
TEST(Tokenizer, AgreesWithIcuOnRealReviews) {
  const std::string path = real_data_file("imdb/test.csv.gz");
  if (path.empty()) GTEST_SKIP() << real_data_advice("imdb/test.csv.gz");
  const ExampleSet set = read_examples(path);
  Tokenizer tokenizer;
  std::size_t tokens = 0, bytes = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const Example& example : set.examples) {
    tokens += tokenizer.split(example.text).size();
    bytes += example.text.size();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::cout << tokens << " tokens, " << bytes << " bytes in " << elapsed.count() << " s\n";
  EXPECT_GT(tokens, 5'000'000u);
  Tokenizer witness;
  for (std::size_t i = 0; i < set.examples.size(); i += 5) {
    const std::string& text = set.examples[i].text;
    const std::vector<std::string_view>& fast = tokenizer.split(text);
    const std::vector<std::string_view>& icu = witness.split_by_icu(text);
    ASSERT_TRUE(std::equal(fast.begin(), fast.end(), icu.begin(), icu.end())) << set.location(i);
  }
}

TEST(Tokenizer, WholeTokensAreFoldedAndNoMore) {
  Tokenizer folding, keeping({.fold_case = false});
  EXPECT_EQ(folding.whole("U.S.-Based"), "u.s.-based");
  EXPECT_EQ(folding.whole(" New  York "), " new  york ");
  EXPECT_EQ(folding.whole("Stra\xC3\x9F"
                          "E"),
            "strasse");
  EXPECT_EQ(folding.whole("<BR />"), "<br />");
  EXPECT_EQ(folding.whole("..."), "...");
  EXPECT_EQ(folding.whole(""), "");
  // E and the accent behind it are the letter.
  EXPECT_EQ(folding.whole("CAFE\xCC\x81"), folding.split("caf\xC3\xA9").at(0));
  for (const char* token : {"U.S.-Based", "CAFE\xCC\x81", "x\xFF"}) {
    EXPECT_EQ(keeping.whole(token), token);
  }
  EXPECT_EQ(folding.whole("X\xFF"), "x\xEF\xBF\xBD");
}

}  // namespace
}  // namespace sluice
