// A TOML document of single values, read.
#pragma once

#include <string>
#include <vector>

namespace sluice {

struct TomlEntry {
  std::string key;
  std::string value;   ///< as an option takes it; empty unless `single`
  bool single = true;  ///< a string, a number, true or false
  int line = 0;        ///< from 1
};

/// The entries of the document's top level, by key. `path` stands for its origin.
/// Errors: usage, with the line, when it is not TOML.
std::vector<TomlEntry> read_toml(const std::string& text, const std::string& path);

/// Of toml++, such as "3.3.0".
std::string toml_library_version();

}  // namespace sluice
