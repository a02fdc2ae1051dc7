#include "host/text/vocabulary.h"

#include <string>

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TokenCounts some_counts() {
  TokenCounts counts;
  for (const char* token :
       {"film", "the", "good", "the", "bad", "film", "the", "\xC3\xA9t\xC3\xA9"}) {
    counts.add(token);
  }
  return counts;
}

/// The message of the usage error that from_text() throws.
std::string refusal(const std::string& text) {
  try {
    Vocabulary::from_text(text, "words.tsv");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(Vocabulary, OrdersByCountThenBytes) {
  const Vocabulary vocabulary(some_counts(), {});
  ASSERT_EQ(vocabulary.size(), 7);
  EXPECT_EQ(vocabulary.token(0), "<padding>");
  EXPECT_EQ(vocabulary.token(1), "<unknown>");
  EXPECT_EQ(vocabulary.token(2), "the");
  EXPECT_EQ(vocabulary.token(3), "film");
  EXPECT_EQ(vocabulary.token(4), "bad");
  EXPECT_EQ(vocabulary.token(5), "good");
  EXPECT_EQ(vocabulary.token(6), "\xC3\xA9t\xC3\xA9");
  EXPECT_EQ(vocabulary.count(2), 3);
  EXPECT_EQ(vocabulary.count(1), 0);
  EXPECT_EQ(vocabulary.id("good"), 5);
  EXPECT_EQ(vocabulary.id("never seen"), Vocabulary::unknown);
  EXPECT_EQ(vocabulary.id("<padding>"), Vocabulary::unknown);
}

TEST(Vocabulary, DoesNotDependOnTheOrderOfCounting) {
  TokenCounts reversed;
  const TokenCounts counts = some_counts();
  for (std::int32_t i = counts.distinct(); i-- > 0;) reversed.add(counts.token(i), counts.count(i));
  EXPECT_EQ(Vocabulary(reversed, {}).to_text(), Vocabulary(counts, {}).to_text());
}

TEST(Vocabulary, IsLimitedBySizeAndCount) {
  const Vocabulary small(some_counts(), {.size = 4});
  EXPECT_EQ(small.size(), 4);
  EXPECT_EQ(small.token(3), "film");
  EXPECT_EQ(small.id("bad"), Vocabulary::unknown);
  EXPECT_EQ(Vocabulary(some_counts(), {.min_count = 2}).size(), 4);
  EXPECT_EQ(Vocabulary(some_counts(), {.size = 100}).size(), 7);
  EXPECT_THROW(Vocabulary(some_counts(), {.size = 2}), Error);
  EXPECT_THROW(Vocabulary(some_counts(), {.size = -1}), Error);
  EXPECT_THROW(Vocabulary(some_counts(), {.min_count = 0}), Error);
}

TEST(Vocabulary, FingerprintTellsTokensAndOrderApart) {
  const Vocabulary all(some_counts(), {});
  TokenCounts doubled = some_counts();
  doubled.merge(some_counts());
  EXPECT_EQ(Vocabulary(doubled, {}).fingerprint(), all.fingerprint());
  EXPECT_NE(Vocabulary(some_counts(), {.size = 6}).fingerprint(), all.fingerprint());
  TokenCounts reordered = some_counts();
  reordered.add("good", 10);
  EXPECT_NE(Vocabulary(reordered, {}).fingerprint(), all.fingerprint());
  TokenCounts joined, split;
  joined.add("ab"), joined.add("c");
  split.add("a"), split.add("bc");
  EXPECT_NE(Vocabulary(joined, {}).fingerprint(), Vocabulary(split, {}).fingerprint());
}

TEST(Vocabulary, ComesBackFromItsText) {
  const Vocabulary saved(some_counts(), {});
  const Vocabulary loaded = Vocabulary::from_text(saved.to_text(), "words.tsv");
  EXPECT_EQ(loaded.to_text(), saved.to_text());
  EXPECT_EQ(loaded.fingerprint(), saved.fingerprint());
  EXPECT_EQ(loaded.id("good"), 5);
  EXPECT_TRUE(saved.to_text().starts_with("# sluice vocabulary 1\ttokens=5\tfingerprint="));
  EXPECT_NE(saved.to_text().find("\nthe\t3\nfilm\t2\n"), std::string::npos);
}

TEST(Vocabulary, RefusesADamagedFile) {
  const std::string good = Vocabulary(some_counts(), {}).to_text();
  ASSERT_EQ(refusal(good), "accepted");
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  const struct {
    std::string text, where, what;
  } cases[] = {
      {"", "words.tsv:1:", "not a vocabulary"},
      {"label,text\n1,good\n", "words.tsv:1:", "not a vocabulary"},
      {with("tokens=5", "tokens=x"), "words.tsv:1:", "not a vocabulary"},
      {with("tokens=5", "tokens=6"), "words.tsv:1:", "6 tokens, the file holds 5"},
      {with("good\t1", "fine\t1"), "words.tsv:1:", "does not match"},
      {with("film\t2", "film 2"), "words.tsv:3:", "token<TAB>count"},
      {with("film\t2", "film\t2x"), "words.tsv:3:", "token<TAB>count"},
      {with("film\t2", "film\t-2"), "words.tsv:3:", "token<TAB>count"},
      {with("film\t2", "film\t2\r"), "words.tsv:3:", "token<TAB>count"},
      {with("film\t2", "\t2"), "words.tsv:3:", "token<TAB>count"},
      {with("film\t2", "fi\xFFlm\t2"), "words.tsv:3:", "token<TAB>count"},
      {with("good", "bad"), "words.tsv:5:", "'bad' comes twice"},
      {good.substr(0, good.size() - 1), "words.tsv:6:", "cut off"},
      {good.substr(0, good.find("bad")), "words.tsv:1:", "5 tokens, the file holds 2"},
  };
  for (const auto& damaged : cases) {
    const std::string message = refusal(damaged.text);
    EXPECT_TRUE(message.starts_with(damaged.where)) << message;
    EXPECT_NE(message.find(damaged.what), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace sluice
