// The subcommands of `sluice`: each adds itself to the command line and runs when chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace sluice {

/// Each returns what to call after the command line was parsed and chose it; that returns the exit
/// code, and throws Error.
std::function<int()> add_train_command(CLI::App& app);
std::function<int()> add_eval_command(CLI::App& app);
std::function<int()> add_predict_command(CLI::App& app);
std::function<int()> add_info_command(CLI::App& app);

}  // namespace sluice
