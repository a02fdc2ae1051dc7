// The word boundaries of UAX #29 within ASCII.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

inline bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Without white space in front and behind.
inline std::string_view trim_ascii(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Where releases of the Unicode data differ.
struct AsciiWordRules {
  bool colon_joins = false;  ///< "a:b" is one word
  bool at_joins = false;     ///< "a@b" is one word
};

struct AsciiWord {
  std::size_t length = 0;
  bool is_word = false;     ///< holds a letter or a digit
  bool is_control = false;  ///< a control character
};

/// The first segment of `text`, which is ASCII without white space and not empty.
AsciiWord next_ascii_word(std::string_view text, const AsciiWordRules& rules);

}  // namespace sluice
