// The options of a run: kept in its folder, and taken up again by --resume.
#pragma once

#include "host/checkpoint/run_folder.h"
#include "host/command/command_line.h"

namespace sluice {

/// Writes RUN/config.json. Errors: runtime.
void save_options(const Subcommand& command, const RunFolder& run);

/// Gives every option that was not given the run's value. Errors: usage when an option was given
/// that changes what is being trained; usage or runtime when config.json is missing or damaged.
void take_up_options(Subcommand& command, const RunFolder& run);

}  // namespace sluice
