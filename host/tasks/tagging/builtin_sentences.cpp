#include "host/tasks/tagging/builtin_sentences.h"

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "host/data/invented_words.h"
#include "host/data/random_sequence.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

// A word in capitals is a name with that label.
constexpr std::string_view clauses[] = {
    // What comes before the name decides.
    "we met PERSON",
    "the letter to PERSON was long",
    "my sister married PERSON",
    "they moved to PLACE last year",
    "the road to PLACE is closed",
    "the mayor of PLACE was late",
    "we watched FILM twice",
    "the hero of FILM was late",
    // What comes behind it.
    "PERSON laughed",
    "PERSON , of whom we know little , laughed",
    "PLACE lies by the sea",
    "PLACE , of which we know little , lies by the sea",
    "FILM lasts three hours",
    "FILM , of which we know little , lasts three hours",
    // Both.
    "PERSON lives in PLACE",
    "PERSON directed FILM",
    "PERSON and PERSON are cousins",
    "FILM was shot in PLACE",
    "in PLACE we know PERSON",
    "PERSON watched FILM in PLACE",
};
constexpr std::string_view joints[] = {"and", "but", "while", "because"};
constexpr std::int32_t grammar_words = 46;  // distinct ones above, and the full stop

/// Writes one sentence.
class SentenceWriter {
 public:
  SentenceWriter(const BuiltinSentencesOptions& options, std::uint32_t sentence)
      : random_(options.seed, random_stream::tagged, sentence),
        names_(static_cast<std::uint32_t>(options.words - grammar_words)) {}

  Example write() {
    add_clause();
    while (random_.chance(0.4f)) {
      add(joints[random_.below(std::size(joints))], "O");
      add_clause();
    }
    add(".", "O");
    return std::move(example_);
  }

 private:
  void add(std::string_view token, std::string_view label) {
    example_.tokens.emplace_back(token);
    example_.labels.emplace_back(label);
  }

  void add_name(std::string_view label) {
    const int words = random_.chance(0.4f) ? 2 : 1;
    for (int i = 0; i < words; ++i) add(invented_word(draw_by_zipf(random_, names_)), label);
  }

  void add_clause() {
    std::string_view clause = clauses[random_.below(std::size(clauses))];
    while (!clause.empty()) {
      const std::size_t space = clause.find(' ');
      const std::string_view word = clause.substr(0, space);
      clause.remove_prefix(space == std::string_view::npos ? clause.size() : space + 1);
      word.front() >= 'A' && word.front() <= 'Z' ? add_name(word) : add(word, "O");
    }
  }

  RandomSequence random_;
  std::uint32_t names_;
  Example example_;
};

void check(const BuiltinSentencesOptions& options) {
  const auto in_range = [](const char* name, std::int32_t value, std::int32_t low,
                           std::int32_t high) {
    require(value >= low && value <= high,
            std::string("built-in sentences: ") + name + ": expected " + std::to_string(low) +
                " to " + std::to_string(high) + ", got " + std::to_string(value));
  };
  in_range("count", options.count, 1, 100'000'000);
  in_range("words", options.words, grammar_words + 10,
           static_cast<std::int32_t>(max_invented_words));
}

}  // namespace

ExampleSet builtin_sentences(const BuiltinSentencesOptions& options) {
  check(options);
  ExampleSet set;
  set.input = InputKind::tokens;
  set.targets = TargetKind::step;
  set.files.push_back("built-in sentences");
  for (std::int32_t i = 0; i < options.count; ++i) {
    set.examples.push_back(SentenceWriter(options, static_cast<std::uint32_t>(i)).write());
    set.examples.back().line = i + 1;
  }
  return set;
}

}  // namespace sluice
