// Whether a trained run is what a command was asked to use.
#pragma once

#include <string>

#include "host/tasks/model_description.h"

namespace sluice {

/// `task`: as given by --task; empty if it was not. Errors: usage when the run in folder `run` is
/// of another one.
void check_task(const ModelDescription& description, const std::string& task,
                const std::string& run);

/// For --help of commands that take the run's own task.
inline constexpr const char* run_task_help = "Refuse a run of another task than this";

}  // namespace sluice
