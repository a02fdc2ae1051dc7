#include "host/command/options_file.h"

#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "host/command/toml_document.h"
#include "host/json/json.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

// About this invocation, not about the run.
const std::set<std::string> not_dumped = {"help", "config", "dump-config", "resume"};

bool takes(const Subcommand& command, const std::string& name) {
  return not_dumped.count(name) == 0 && command.has(name);
}

bool is_number(const std::string& text) {
  double value = 0.0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

std::string toml_value(const std::string& text) {
  if (text == "true" || text == "false" || is_number(text)) return text;
  return Json(text).dump();  // TOML's basic strings have JSON's escapes
}

}  // namespace

void set_option(Subcommand& command, const std::string& name, const std::string& value,
                const std::string& where) {
  require(takes(command, name), where + ": unknown option '" + name + "'; sluice " +
                                    command.name() + " --help lists those there are");
  if (command.is_flag(name)) {
    require(value == "true" || value == "false",
            where + ": " + name + " must be true or false, got '" + value + "'");
  }
  try {
    command.set(name, value);
  } catch (const Error& error) {
    throw Error::usage(where + ": " + name + ": " + error.what());
  }
}

void apply_options_file(Subcommand& command, const std::string& path) {
  std::ifstream file(path);
  require(file.good(), path + ": no such configuration file");
  std::ostringstream text;
  text << file.rdbuf();
  const std::vector<TomlEntry> entries = read_toml(text.str(), path);
  std::set<std::string> from_command_line;
  for (const TomlEntry& entry : entries) {
    if (takes(command, entry.key) && command.was_given(entry.key))
      from_command_line.insert(entry.key);
  }
  for (const TomlEntry& entry : entries) {
    const std::string where = path + ":" + std::to_string(entry.line);
    require(entry.single, where + ": " + entry.key + " must be a string, a number, true or false");
    if (from_command_line.count(entry.key) == 0) set_option(command, entry.key, entry.value, where);
  }
}

std::map<std::string, std::string> effective_options(const Subcommand& command) {
  std::map<std::string, std::string> options;
  for (const OptionInEffect& option : command.options()) {
    if (not_dumped.count(option.name) != 0) continue;
    const std::string value = option.value.empty() && option.flag ? "false" : option.value;
    if (!value.empty()) options[option.name] = value;
  }
  return options;
}

std::string options_to_toml(const Subcommand& command) {
  std::string document;
  for (const auto& [name, value] : effective_options(command)) {
    document += name + " = " + toml_value(value) + "\n";
  }
  return document;
}

}  // namespace sluice
