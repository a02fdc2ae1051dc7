#include "host/command/options_file.h"

#include <toml++/toml.h>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "kernels/base/error.h"

namespace sluice {
namespace {

// About this invocation, not about the run.
const std::set<std::string> not_dumped = {"help", "config", "dump-config", "resume"};

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

CLI::Option* find(CLI::App& command, const std::string& name) {
  if (not_dumped.count(name) != 0) return nullptr;
  return command.get_option_no_throw("--" + name);
}

std::string value_text(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, number->get()).ptr;
    return std::string(digits, end);
  }
  throw Error::usage(where + " must be a string, a number, true or false");
}

bool is_number(const std::string& text) {
  double value = 0.0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

std::string toml_value(const std::string& text) {
  if (text == "true" || text == "false" || is_number(text)) return text;
  return nlohmann::json(text).dump();  // TOML's basic strings have JSON's escapes
}

}  // namespace

void set_option(CLI::App& command, const std::string& name, const std::string& value,
                const std::string& where) {
  CLI::Option* option = find(command, name);
  require(option != nullptr, where + ": unknown option '" + name + "'; sluice " +
                                 command.get_name() + " --help lists those there are");
  if (is_flag(*option)) {
    require(value == "true" || value == "false",
            where + ": " + name + " must be true or false, got '" + value + "'");
  }
  try {
    option->add_result(value);
    option->run_callback();
  } catch (const CLI::Error& error) {
    throw Error::usage(where + ": " + name + ": " + error.what());
  }
}

void apply_options_file(CLI::App& command, const std::string& path) {
  std::ifstream file(path);
  require(file.good(), path + ": no such configuration file");
  std::ostringstream text;
  text << file.rdbuf();
  toml::table table;
  try {
    table = toml::parse(text.str(), path);
  } catch (const toml::parse_error& error) {
    throw Error::usage(path + ":" + std::to_string(error.source().begin.line) +
                       ": not valid TOML: " + std::string(error.description()));
  }
  std::set<std::string> from_command_line;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (find(command, name) != nullptr && was_given(command, name)) from_command_line.insert(name);
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string where = path + ":" + std::to_string(key.source().begin.line);
    const std::string value = value_text(node, where + ": " + name);
    if (from_command_line.count(name) == 0) set_option(command, name, value, where);
  }
}

std::map<std::string, std::string> effective_options(const CLI::App& command) {
  std::map<std::string, std::string> options;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (not_dumped.count(name) != 0) continue;
    std::string value = option->count() > 0 ? option->results().back() : option->get_default_str();
    if (value.empty() && is_flag(*option)) value = "false";
    if (!value.empty()) options[name] = value;
  }
  return options;
}

bool was_given(const CLI::App& command, const std::string& name) {
  return command.get_option("--" + name)->count() > 0;
}

std::string options_to_toml(const CLI::App& command) {
  std::string document;
  for (const auto& [name, value] : effective_options(command)) {
    document += name + " = " + toml_value(value) + "\n";
  }
  return document;
}

}  // namespace sluice
