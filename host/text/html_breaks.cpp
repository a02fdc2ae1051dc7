#include "host/text/html_breaks.h"

#include <cstddef>

#include "host/text/ascii_words.h"

namespace sluice {
namespace {

constexpr std::size_t longest_tag = 80;  // so that a stray "<br" cannot swallow a text

/// Length of the break tag that begins at text[at] == '<', or 0.
std::size_t tag_length(std::string_view text, std::size_t at) {
  const std::string_view tag = text.substr(at, longest_tag);
  std::size_t i = 1;
  const auto skip_space = [&] {
    while (i < tag.size() && is_ascii_space(tag[i])) ++i;
  };
  skip_space();
  if (i < tag.size() && tag[i] == '/') ++i;
  skip_space();
  if (i + 2 >= tag.size() || (tag[i] | 0x20) != 'b' || (tag[i + 1] | 0x20) != 'r') return 0;
  i += 2;
  if (!is_ascii_space(tag[i]) && tag[i] != '/' && tag[i] != '>') return 0;
  const std::size_t close = tag.find_first_of("<>", i);
  return close == std::string_view::npos || tag[close] == '<' ? 0 : close + 1;
}

}  // namespace

std::string_view without_html_breaks(std::string_view text, std::string& buffer) {
  std::size_t copied = 0;
  bool found = false;
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    const std::size_t length = tag_length(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    if (!found) buffer.clear();
    found = true;
    buffer.append(text.substr(copied, at - copied));
    buffer += ' ';
    at += length;
    copied = at;
  }
  if (!found) return text;
  buffer.append(text.substr(copied));
  return buffer;
}

}  // namespace sluice
