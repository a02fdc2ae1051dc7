// The one source of the product that includes toml++: its headers take seconds to compile.
#include "host/command/toml_document.h"

#include <toml++/toml.h>
#include <charconv>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TomlEntry entry_of(const toml::key& key, const toml::node& node) {
  TomlEntry entry;
  entry.key = key.str();
  entry.line = static_cast<int>(key.source().begin.line);
  if (const auto* text = node.as_string()) {
    entry.value = text->get();
  } else if (const auto* number = node.as_integer()) {
    entry.value = std::to_string(number->get());
  } else if (const auto* truth = node.as_boolean()) {
    entry.value = truth->get() ? "true" : "false";
  } else if (const auto* real = node.as_floating_point()) {
    char digits[64];
    entry.value.assign(digits, std::to_chars(digits, digits + sizeof digits, real->get()).ptr);
  } else {
    entry.single = false;
  }
  return entry;
}

}  // namespace

std::vector<TomlEntry> read_toml(const std::string& text, const std::string& path) {
  std::vector<TomlEntry> entries;
  try {
    const toml::table table = toml::parse(text, path);
    for (const auto& [key, node] : table) entries.push_back(entry_of(key, node));
  } catch (const toml::parse_error& error) {
    throw Error::usage(path + ":" + std::to_string(error.source().begin.line) +
                       ": not valid TOML: " + std::string(error.description()));
  }
  return entries;
}

std::string toml_library_version() {
  return std::to_string(TOML_LIB_MAJOR) + "." + std::to_string(TOML_LIB_MINOR) + "." +
         std::to_string(TOML_LIB_PATCH);
}

}  // namespace sluice
