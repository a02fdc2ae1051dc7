#include "host/command/run_task.h"

#include "kernels/base/error.h"

namespace sluice {

void check_task(const ModelDescription& description, const std::string& task,
                const std::string& run) {
  if (task.empty()) return;
  require(&task_from_name(task) == description.task,
          "--task " + task + ": the run in " + run + " was trained for " +
              description.task->name() + "; leave --task out, or give a run of that task");
}

}  // namespace sluice
