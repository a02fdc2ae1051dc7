// Lines of data on standard output, and notes on standard error.
#pragma once

#include <string>

namespace sluice {

/// Writes the line at once. Errors: runtime when it cannot be written (a full disk, a reader that
/// has gone away).
void write_line(const std::string& line);

/// "sluice: <text>" on standard error.
void write_note(const std::string& text);

}  // namespace sluice
