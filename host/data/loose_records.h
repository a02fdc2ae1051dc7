// Records of fields in text that may be no table at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct LooseRecord {
  std::vector<std::string> fields;  ///< without quotes and without blanks at their ends
  bool quoted = false;              ///< a field is in quotes
  bool spaced = false;              ///< a blank stands behind a delimiter
};

/// The first `most` records that are not blank. Nothing is an error: a quote that does not close
/// before a delimiter or a line's end is a character, as is every quote where tabs delimit. Lines
/// end by LF or CR LF, or by CR where there is no LF. `whole`: the last line is complete; without
/// it a last record that may be cut is left out, unless it is the only one.
std::vector<LooseRecord> read_loose_records(std::string_view text, char delimiter, bool whole,
                                            std::size_t most);

}  // namespace sluice
