#include <array>
#include <bitset>
#include <cstddef>

#include "host/data/foreign_format.h"
#include "host/text/utf8.h"

namespace sluice {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  const char* name;
  const char* filter;
};

// The longer of two with one beginning comes first.
constexpr std::array magics = {
    Magic{"\x1F\x8B"sv, "gzip", "gzip -dc"},
    Magic{"BZh"sv, "bzip2", "bzip2 -dc"},
    Magic{"\xFD\x37zXZ\0"sv, "xz", "xz -dc"},
    Magic{"\x28\xB5\x2F\xFD"sv, "zstd", "zstd -dc"},
    Magic{"PK\x03\x04"sv, "a zip archive or a spreadsheet", ""},
    Magic{"\xFF\xFE\0\0"sv, "UTF-32", "iconv -f UTF-32 -t UTF-8"},
    Magic{"\0\0\xFE\xFF"sv, "UTF-32", "iconv -f UTF-32 -t UTF-8"},
    Magic{"\xFF\xFE"sv, "UTF-16", "iconv -f UTF-16 -t UTF-8"},
    Magic{"\xFE\xFF"sv, "UTF-16", "iconv -f UTF-16 -t UTF-8"},
};

bool has_magic(std::string_view begin, const Magic& magic) {
  if (!begin.starts_with(magic.bytes)) return false;
  // Its three letters may begin a text; the number pi behind the level may not.
  return magic.bytes != "BZh"sv || begin.substr(magic.bytes.size() + 1).starts_with("1AY&SY");
}

// ASCII and most alphabets have few different high bytes, all at the same parity; other scripts'
// bytes are not UTF-8, and have NULs where there are line feeds, digits or blanks.
bool is_utf16(std::string_view begin, std::size_t high) {
  std::array<std::size_t, 2> nuls{};
  std::bitset<256> high_bytes;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (begin[i] == '\0') ++nuls[i % 2];
    if (i % 2 == high) high_bytes.set(static_cast<unsigned char>(begin[i]));
  }
  if (nuls[high] == 0 || nuls[1 - high] * 10 > nuls[high]) return false;
  const std::size_t pairs = begin.size() / 2;
  return (high_bytes.count() <= 4 && high_bytes.count() * 2 <= pairs) || !is_valid_utf8(begin);
}

}  // namespace

std::optional<ForeignFormat> find_binary_format(std::string_view begin) {
  begin = begin.substr(0, telling_bytes);
  for (const Magic& magic : magics) {
    if (has_magic(begin, magic)) return ForeignFormat{magic.name, magic.filter};
  }
  if (begin.find('\0') == std::string_view::npos) return std::nullopt;
  for (const bool little : {true, false}) {
    if (!is_utf16(begin, little ? 1 : 0)) continue;
    const std::string name = little ? "UTF-16LE" : "UTF-16BE";
    return ForeignFormat{name + " without a byte-order mark", "iconv -f " + name + " -t UTF-8"};
  }
  return ForeignFormat{"a binary file (it has NUL bytes)", ""};
}

}  // namespace sluice
