// The options of a subcommand as a file: TOML in, TOML and JSON out.
#pragma once

#include <map>
#include <string>

#include "host/command/command_line.h"

namespace sluice {

/// Sets every option that a TOML file names and the command line did not give. Keys are the long
/// option names without dashes (max-length = 400); flags take true or false.
/// Errors: usage with file and line, when the file is missing or malformed, or a key or value is
/// not one of the subcommand's.
void apply_options_file(Subcommand& command, const std::string& path);

/// Sets one option as the command line would. `where` begins the message of an error: usage.
void set_option(Subcommand& command, const std::string& name, const std::string& value,
                const std::string& where);

/// Long name -> value in effect, of every option that shapes the run: not --help, --config and the
/// like. Flags are "true" or "false".
std::map<std::string, std::string> effective_options(const Subcommand& command);

/// The same as a TOML document that apply_options_file() takes. Options without a value are left
/// out.
std::string options_to_toml(const Subcommand& command);

}  // namespace sluice
