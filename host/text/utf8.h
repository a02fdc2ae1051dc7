// Checks of UTF-8, the only encoding of text that Sluice reads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// Offset of the first byte that does not begin or continue a well-formed sequence (Unicode 15,
/// table 3-7: no overlong forms, no surrogates, nothing past U+10FFFF), or npos.
std::size_t find_invalid_utf8(std::string_view text);

inline bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) == std::string_view::npos;
}

/// For messages: `text` in single quotes, control characters and ill-formed bytes written as \xNN;
/// cut to `limit` bytes at a character's boundary with "..." behind.
std::string quote(std::string_view text, std::size_t limit = 60);

}  // namespace sluice
