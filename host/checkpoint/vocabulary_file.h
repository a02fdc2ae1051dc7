// A vocabulary as a file.
#pragma once

#include <filesystem>

#include "host/text/vocabulary.h"

namespace sluice {

/// Vocabulary::to_text(), whole or not at all. Errors: runtime.
void save_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary);

/// Errors: usage when the file cannot be read, else as Vocabulary::from_text().
Vocabulary load_vocabulary(const std::filesystem::path& path);

}  // namespace sluice
