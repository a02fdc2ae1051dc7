// Which format a file of examples has.
#pragma once

#include <string>
#include <string_view>

#include "host/data/examples.h"

namespace sluice {

/// By the end of its name; automatic where that says nothing.
FileFormat format_by_name(std::string_view path);

/// Whether a file with that beginning holds JSON objects. A brace alone may be a token.
bool begins_object(std::string_view begin);

/// By its name, and else by its beginning; never automatic. Errors: as check_format().
FileFormat find_format(const std::string& path, std::string_view begin, TargetKind targets);

/// Errors: usage, naming the choices, when such a file has no such targets.
void check_format(FileFormat format, const std::string& path, TargetKind targets);

}  // namespace sluice
