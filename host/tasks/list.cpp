#include "host/tasks/list.h"

#include "host/tasks/classification/classification_task.h"
#include "host/tasks/tagging/tagging_task.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

template <class OneTask>
const Task* the() {
  static const OneTask task;
  return &task;
}

}  // namespace

const std::vector<const Task*>& all_tasks() {
  static const std::vector<const Task*> tasks = {
      the<ClassificationTask>(),
      the<TaggingTask>(),
  };
  return tasks;
}

const Task& default_task() { return *all_tasks().front(); }

const Task& task_from_name(const std::string& name) {
  std::string choices;
  for (const Task* task : all_tasks()) {
    if (name == task->name()) return *task;
    choices += (choices.empty() ? "" : ", ") + std::string(task->name());
  }
  throw Error::usage("task must be one of " + choices + ", got '" + name + "'");
}

}  // namespace sluice
