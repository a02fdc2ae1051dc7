// The one list of tasks.
#pragma once

#include <string>
#include <vector>

#include "host/tasks/task.h"

namespace sluice {

/// Each once, the default first.
const std::vector<const Task*>& all_tasks();
const Task& default_task();  ///< of models that do not say theirs

/// Errors: usage, naming the choices.
const Task& task_from_name(const std::string& name);

}  // namespace sluice
