#include "host/data/builtin_reviews.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/invented_words.h"
#include "host/data/random_sequence.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

using Phrases = std::span<const std::string_view>;

constexpr std::string_view praise[] = {"superb",     "great",     "wonderful", "brilliant",
                                       "charming",   "excellent", "moving",    "fresh",
                                       "delightful", "gripping",  "clever",    "splendid"};
constexpr std::string_view blame[] = {"awful",    "dull",     "terrible", "tedious",
                                      "clumsy",   "dreadful", "lifeless", "boring",
                                      "annoying", "stale",    "silly",    "poor"};
constexpr std::string_view negations[] = {"not", "never", "hardly", "by no means", "far from"};
constexpr std::string_view degrees[] = {"simply", "truly", "really", "rather", "quite"};
constexpr std::string_view aspects[] = {
    "the acting", "the plot",      "the script",      "the music",    "the ending",
    "the pacing", "the direction", "the photography", "the dialogue", "the cast"};
/// What a review mentions but does not judge.
constexpr std::string_view others[] = {"the popcorn",          "the hotel bar", "his previous film",
                                       "the trailer",          "the book",      "the other feature",
                                       "the remake",           "our dinner",    "the first part",
                                       "the television series"};
constexpr std::string_view openings[] = {
    "we saw it", "I watched it",          "they filmed it", "the story takes place",
    "we talked", "my sister heard of it", "it was shot",    "a friend of mine watched it"};
constexpr std::string_view one_word[] = {"yesterday", "twice", "again",
                                         "abroad",    "today", "together"};
constexpr std::string_view two_words[] = {"last week", "on Tuesday", "at night",
                                          "in winter", "by train",   "with friends"};
constexpr std::string_view three_words[] = {"in a village",  "with my cousin",   "for an hour",
                                            "after the war", "near the harbour", "during the rain"};
constexpr std::string_view before_name[] = {"with", "in", "near", "after", "like", "for"};

constexpr std::size_t longest_concession = 12;  // tokens of ", despite the fact that ..."
constexpr std::int32_t grammar_words = 127;     // distinct words of the lists here and below

/// Writes one review as tokens.
class ReviewWriter {
 public:
  ReviewWriter(const BuiltinReviewsOptions& options, std::uint32_t review)
      : random_(options.seed, random_stream::reviews, review),
        invented_(static_cast<std::uint32_t>(options.vocabulary - grammar_words)) {
    const auto range = static_cast<std::uint32_t>(options.distance_max - options.distance_min) + 1;
    distance_ = static_cast<std::size_t>(options.distance_min) + random_.below(range);
  }

  /// Most reviews set praise against blame; only the main clause, which word order tells, counts.
  /// The two clauses are drawn alike, so there the bag of words says nothing about the label.
  std::string contrast(bool positive) {
    constexpr std::uint32_t plain = 4;  // one clause alone
    neutral_sentence(5 + random_.below(8));
    if (random_.chance(0.5f)) aside();
    if (random_.chance(0.3f)) neutral_sentence(5 + random_.below(6));
    const auto minor_clause = [&] { clause(aspects, !positive); };
    const auto main_clause = [&] { clause(aspects, positive); };
    std::size_t decided = 0;
    const std::uint32_t forms = distance_ >= longest_concession ? 4 : 3;
    switch (random_.chance(0.15f) ? plain : random_.below(forms)) {
      case plain:
        main_clause();
        decided = words_.size();
        break;
      case 0:
        minor_clause();
        add(random_.chance(0.5f) ? ", but" : ", yet");
        main_clause();
        decided = words_.size();
        break;
      case 1:
        add(random_.chance(0.5f) ? "although" : "while");
        minor_clause();
        add(",");
        main_clause();
        decided = words_.size();
        break;
      case 2:
        minor_clause();
        add(". overall ,");
        main_clause();
        decided = words_.size();
        break;
      default:
        main_clause();
        decided = words_.size();
        add(random_.chance(0.5f) ? ", even though" : ", despite the fact that");
        minor_clause();
        break;
    }
    finish(decided + distance_, /*asides=*/true);
    return text();
  }

  std::string long_memory(bool positive) {
    add("the film was");
    add(pick(positive ? Phrases(praise) : Phrases(blame)));
    finish(words_.size() + distance_, /*asides=*/false);
    return text();
  }

 private:
  std::string_view pick(Phrases phrases) {
    return phrases[random_.below(static_cast<std::uint32_t>(phrases.size()))];
  }

  /// Another one than `last`, which it replaces.
  std::string_view pick_another(Phrases phrases, std::string_view& last) {
    std::string_view picked;
    do picked = pick(phrases);
    while (picked == last);
    return last = picked;
  }

  /// Splits at spaces; lists are in lower case, and text() sets capitals.
  void add(std::string_view phrase) {
    while (!phrase.empty()) {
      const std::size_t space = phrase.find(' ');
      words_.emplace_back(phrase.substr(0, space));
      phrase.remove_prefix(space == std::string_view::npos ? phrase.size() : space + 1);
    }
  }

  void add_name() { words_.push_back(invented_word(draw_by_zipf(random_, invented_))); }

  /// "the plot was not dull": its sense is `positive`. Ends with the word that decides.
  void clause(Phrases subjects, bool positive) {
    add(pick_another(subjects, subject_));
    add("was");
    const bool negated = random_.chance(0.3f);
    if (negated) {
      add(pick(negations));
    } else if (random_.chance(0.3f)) {
      add(pick(degrees));
    }
    add(pick(positive != negated ? Phrases(praise) : Phrases(blame)));
  }

  /// A sentence on something else, with a sentiment of its own.
  void aside() {
    clause(others, random_.chance(0.5f));
    add(".");
  }

  /// Without sentiment, of exactly `length` tokens, the full stop included.
  void neutral_sentence(std::size_t length) {
    if (length == 1) return add("indeed");
    const std::size_t stop = words_.size() + length - 1;
    if (length >= 4) {
      std::string_view opening;
      std::size_t count;
      do {
        opening = pick_another(openings, opening_);
        count = 1 + static_cast<std::size_t>(std::count(opening.begin(), opening.end(), ' '));
      } while (count >= length);
      add(opening);
    }
    while (words_.size() < stop) {
      const std::size_t left = stop - words_.size();
      switch (random_.below(4)) {
        case 0: add(pick_another(one_word, filler_)); break;
        case 1:
          if (left >= 2) add(pick_another(two_words, filler_));
          break;
        case 2:
          if (left >= 3) add(pick_another(three_words, filler_));
          break;
        default:
          if (left < 2) break;
          add(pick(before_name));
          add_name();
      }
    }
    add(".");
  }

  /// Sentences until the review has `size` tokens; with a full stop at once if it has more.
  void finish(std::size_t size, bool asides) {
    constexpr std::size_t longest_aside = 9, longest_neutral = 12;
    if (words_.size() == size) return;
    add(".");
    while (words_.size() < size) {
      const std::size_t left = size - words_.size();
      if (asides && left >= longest_aside && random_.chance(0.4f)) {
        aside();
      } else {
        neutral_sentence(left <= longest_neutral ? left : 4 + random_.below(longest_neutral - 7));
      }
    }
  }

  std::string text() const {
    std::string text;
    bool sentence_begins = true;
    for (const std::string& word : words_) {
      const bool is_stop = word == ".";
      if (!text.empty() && !is_stop && word != ",") text += ' ';
      text += word;
      if (sentence_begins) {
        char& first = text[text.size() - word.size()];
        if (first >= 'a' && first <= 'z') first = static_cast<char>(first - 'a' + 'A');
      }
      sentence_begins = is_stop;
    }
    return text;
  }

  RandomSequence random_;
  std::uint32_t invented_;
  std::size_t distance_;
  std::string_view subject_, opening_, filler_;  // the last ones
  std::vector<std::string> words_;
};

void check(const BuiltinReviewsOptions& options) {
  const auto in_range = [](const char* name, std::int32_t value, std::int32_t low,
                           std::int32_t high) {
    require(value >= low && value <= high,
            std::string("built-in reviews: ") + name + ": expected " + std::to_string(low) +
                " to " + std::to_string(high) + ", got " + std::to_string(value));
  };
  in_range("count", options.count, 1, 100'000'000);
  in_range("vocabulary", options.vocabulary, grammar_words + 10,
           static_cast<std::int32_t>(max_invented_words));
  in_range("distance_min", options.distance_min, 0, 1'000'000);
  in_range("distance_max", options.distance_max, options.distance_min, 1'000'000);
}

}  // namespace

ExampleSet builtin_reviews(const BuiltinReviewsOptions& options) {
  check(options);
  ExampleSet set;
  set.files.push_back("built-in reviews");
  for (std::int32_t i = 0; i < options.count; ++i) {
    const bool positive = i % 2 == 1;
    ReviewWriter writer(options, static_cast<std::uint32_t>(i));
    set.examples.push_back({options.task == BuiltinTask::contrast ? writer.contrast(positive)
                                                                  : writer.long_memory(positive),
                            positive ? "positive" : "negative", 0, i + 1});
  }
  return set;
}

}  // namespace sluice
