#include "host/text/ascii_words.h"

#include <array>
#include <cstdint>

namespace sluice {
namespace {

/// Word_Break property values, as far as ASCII has them.
enum class Break : std::uint8_t {
  other,
  control,
  letter,      // ALetter
  digit,       // Numeric
  underscore,  // ExtendNumLet
  mid_letter,  // MidLetter: joins letters
  mid_number,  // MidNum: joins digits
  mid_either,  // MidNumLet and Single_Quote: joins either
  colon,
  at,  // other or mid_letter: see AsciiWordRules
};

constexpr std::array<Break, 128> make_table() {
  std::array<Break, 128> table{};
  for (std::size_t c = 0; c < 32; ++c) table[c] = Break::control;
  table[127] = Break::control;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = Break::letter;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = Break::letter;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = Break::digit;
  table['_'] = Break::underscore;
  table['.'] = table['\''] = Break::mid_either;
  table[','] = table[';'] = Break::mid_number;
  table[':'] = Break::colon;
  table['@'] = Break::at;
  return table;
}
constexpr std::array<Break, 128> table = make_table();

Break break_of(char c, const AsciiWordRules& rules) {
  const Break value = table[static_cast<std::size_t>(c)];
  if (value == Break::colon) return rules.colon_joins ? Break::mid_letter : Break::other;
  if (value == Break::at) return rules.at_joins ? Break::letter : Break::other;
  return value;
}

bool extends(Break value) {
  return value == Break::letter || value == Break::digit || value == Break::underscore;
}

}  // namespace

AsciiWord next_ascii_word(std::string_view text, const AsciiWordRules& rules) {
  AsciiWord word;
  Break last = break_of(text[0], rules);
  word.length = 1;
  if (!extends(last)) {
    word.is_control = last == Break::control;
    return word;
  }
  word.is_word = last != Break::underscore;
  while (word.length < text.size()) {
    const Break next = break_of(text[word.length], rules);
    if (extends(next)) {  // WB5, WB8-10, WB13a, WB13b
      ++word.length;
    } else {  // WB6-7, WB11-12: one joining character between two letters or two digits
      if (word.length + 1 == text.size() || break_of(text[word.length + 1], rules) != last) break;
      const bool joins = next == Break::mid_either ? last != Break::underscore
                         : next == Break::mid_letter
                             ? last == Break::letter
                             : next == Break::mid_number && last == Break::digit;
      if (!joins) break;
      word.length += 2;
      continue;
    }
    last = next;
    word.is_word = word.is_word || last != Break::underscore;
  }
  return word;
}

}  // namespace sluice
