// The subcommands of `sluice`: each adds itself to the command line and runs when chosen.
#pragma once

#include <functional>

#include "host/command/command_line.h"

namespace sluice {

/// Each returns what to call after the command line was parsed and chose it; that returns the exit
/// code, and throws Error.
std::function<int()> add_train_command(CommandLine& line);
std::function<int()> add_eval_command(CommandLine& line);
std::function<int()> add_predict_command(CommandLine& line);
std::function<int()> add_info_command(CommandLine& line);

}  // namespace sluice
