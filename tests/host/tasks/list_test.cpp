#include "host/tasks/list.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TEST(Tasks, EachIsFoundByItsName) {
  std::set<std::string> names;
  for (const Task* task : all_tasks()) {
    EXPECT_EQ(&task_from_name(task->name()), task);
    EXPECT_STRNE(task->meaning(), "");
    names.insert(task->name());
  }
  EXPECT_EQ(names.size(), all_tasks().size());
  EXPECT_STREQ(default_task().name(), "classification");
}

// "Add a task" in host/tasks/README.md, followed by every task there is.
TEST(Tasks, EachHasTheFilesThatTheReadmeAsksFor) {
  const std::filesystem::path room = SLUICE_SOURCE_DIR "/host/tasks";
  std::ifstream file(room / "README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::regex asked("`NAME_([a-z_]+)\\.h`");
  int files = 0;
  for (std::sregex_iterator found(readme.begin(), readme.end(), asked), end; found != end;
       ++found) {
    for (const Task* task : all_tasks()) {
      const std::string name = task->name();
      for (const char* ending : {".h", ".cpp"}) {
        const auto path = room / name / (name + "_" + (*found)[1].str() + ending);
        EXPECT_TRUE(std::filesystem::exists(path)) << path;
      }
    }
    files += 2;
  }
  EXPECT_EQ(files + 2, 10) << "with the generator's two, as the README counts them";
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
