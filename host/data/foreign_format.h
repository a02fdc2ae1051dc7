// Recognises what is not plain text with one text a line, by its beginning.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// What a file looks like, for people. The functions take its beginning, as much as is there.
struct ForeignFormat {
  std::string name;    ///< such as "gzip", or "CSV with the header 'id,text'"
  std::string filter;  ///< a shell command that makes texts of its input, one a line; may be empty
};

/// Bytes worth looking at.
inline constexpr std::size_t telling_bytes = std::size_t{64} << 10;

/// By magic numbers and NULs: compressed files, UTF-16, binary ones. Needs no whole line.
std::optional<ForeignFormat> find_binary_format(std::string_view begin);

/// JSON lines, or a JSON document that is an array or spread over lines. Most lines that are there
/// must be JSON with a key or a string inside; a line that only begins with a brace is none.
/// `whole`: there is nothing behind `begin`, so that its last line is complete. No byte-order mark.
std::optional<ForeignFormat> find_json(std::string_view begin, bool whole);

/// CSV (commas or semicolons) and TSV: a header of names with those of a text and of a label, an id
/// or the like; or else lines that have the same number of fields, and what prose lacks: quoted
/// fields, or a column of numbers or of few words beside one of texts. A comma before a blank and
/// one within a number separate nothing there. `whole` as above.
std::optional<ForeignFormat> find_table(std::string_view begin, bool whole);

}  // namespace sluice
