// The command line: what the subcommands say of their options, and what was given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // of CLI11, which command_line.cpp alone includes
class App;
class Option;
}  // namespace CLI

namespace sluice {

/// What was just described; each of these says more of it.
class CommandOption {
 public:
  explicit CommandOption(CLI::Option* option) : option_(option) {}

  CommandOption& required();
  /// Under this heading of --help instead of Subcommand::begin_group()'s.
  CommandOption& group(const std::string& heading);
  CommandOption& one_of(const std::vector<std::string>& choices);
  CommandOption& between(double least, double most);
  CommandOption& not_negative();

 private:
  CLI::Option* option_;
};

/// An option as it stands after parsing.
struct OptionInEffect {
  std::string name;   ///< long, without dashes
  std::string value;  ///< given, else the default; empty without either
  bool flag = false;  ///< takes no value
  bool given = false;
  std::string standard = "";  ///< the default; empty without one
};

/// A handle; CommandLine owns what it stands for. Options are named as users type them: "--lr" is
/// an option, "run" a positional argument. Variables must live until the line has been parsed.
class Subcommand {
 public:
  explicit Subcommand(CLI::App* app) : app_(app) {}

  std::string name() const;
  /// Below the options of --help.
  void footer(const std::string& text);

  // Of what is described from here on: the heading of --help, and whether the variable's value is
  // the default that --help shows and options() knows.
  void begin_group(const std::string& heading);
  void show_defaults(bool show = true);

  CommandOption option(const char* name, std::string& value, const char* description);
  CommandOption option(const char* name, std::int32_t& value, const char* description);
  CommandOption option(const char* name, std::int64_t& value, const char* description);
  CommandOption option(const char* name, std::uint64_t& value, const char* description);
  CommandOption option(const char* name, double& value, const char* description);
  CommandOption flag(const char* name, bool& value, const char* description);

  // By long name without dashes. has() aside, the option must be there.
  bool has(const std::string& name) const;
  bool is_flag(const std::string& name) const;
  bool was_given(const std::string& name) const;
  /// As the command line would. Errors: usage, saying what the value is not.
  void set(const std::string& name, const std::string& value);
  /// All with a long name, in the order they were described.
  std::vector<OptionInEffect> options() const;

 private:
  CLI::App* app_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& description, const std::string& version);
  ~CommandLine();

  Subcommand add_subcommand(const std::string& name, const std::string& description);

  /// The subcommand chosen; none after --help and --version, which are answered here.
  /// Errors: usage, ending in where there is help.
  std::optional<std::string> parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

/// Of CLI11, such as "2.1.2".
std::string command_line_library_version();

}  // namespace sluice
