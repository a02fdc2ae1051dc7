#include "host/data/invented_words.h"

#include <algorithm>
#include <bit>

namespace sluice {

std::string invented_word(std::uint32_t i) {
  static constexpr char consonants[] = "bdfgklmnprstvzhjwcyq";
  static constexpr char vowels[] = "aeiou";
  static constexpr const char* endings[] = {"x", "rk", "lm", "sk", "zz", "gg", "kh", "vz"};
  // Ranks below 80,000 have two syllables, the others four; the multiplication by a number without
  // a common factor scatters neighbours.
  constexpr std::uint64_t short_words = 100 * 100 * 8;
  constexpr std::uint64_t long_words = short_words * 100 * 100;
  const bool is_short = i < short_words;
  std::uint64_t code = is_short ? i * 31'397ull % short_words : i * 314'159'269ull % long_words;
  const std::string ending = endings[code % 8];
  code /= 8;
  std::string word;
  for (int syllable = 0; syllable < (is_short ? 2 : 4); ++syllable) {
    word += consonants[code % 20];
    word += vowels[code / 20 % 5];
    code /= 100;
  }
  word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word + ending;
}

std::uint32_t draw_by_zipf(RandomSequence& random, std::uint32_t count) {
  const auto octaves = static_cast<std::uint32_t>(std::bit_width(count));
  const std::uint32_t first = 1u << random.below(octaves);
  const std::uint32_t last = std::min(count, 2 * first - 1);
  return first + random.below(last - first + 1) - 1;
}

}  // namespace sluice
