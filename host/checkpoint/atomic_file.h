// Replacing a file whole, or not at all.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace sluice {

/// Makes `path` hold the concatenated `parts`. They are written to a temporary file in the same
/// folder, flushed to the disk, renamed over `path`, and the folder is flushed: a reader, or a
/// machine that loses power, sees the old file or the new one, never a part of either.
/// Errors: runtime, naming the file and the system's reason; the temporary file is removed and what
/// was at `path` stays.
void replace_file(const std::filesystem::path& path, const std::vector<std::string_view>& parts);

}  // namespace sluice
