#include "host/tasks/list.h"

#include <gtest/gtest.h>

#include <set>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TEST(Tasks, EachIsFoundByItsName) {
  std::set<std::string> names;
  for (const Task* task : all_tasks()) {
    EXPECT_EQ(&task_from_name(task->name()), task);
    names.insert(task->name());
  }
  EXPECT_EQ(names.size(), all_tasks().size());
  EXPECT_STREQ(default_task().name(), "classification");
}

TEST(Tasks, AnUnknownNameIsAnsweredByTheChoices) {
  try {
    task_from_name("cooking");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    for (const Task* task : all_tasks()) {
      EXPECT_NE(std::string(error.what()).find(task->name()), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace sluice
