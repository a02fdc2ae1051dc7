// The bar is for terminals alone; what it says is seen on a pseudo-terminal.
#include <gtest/gtest.h>
#include <pty.h>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

// Everything the command writes to a terminal that is its standard error.
std::string terminal_output(const std::vector<std::string>& arguments, const char* no_color) {
  int terminal = -1;
  const pid_t process = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (process == 0) {
    ::setenv("TERM", "xterm", 1);
    no_color == nullptr ? ::unsetenv("NO_COLOR") : ::setenv("NO_COLOR", no_color, 1);
    std::vector<char*> argv = {const_cast<char*>(SLUICE_COMMAND)};
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(SLUICE_COMMAND, argv.data());
    ::_exit(127);
  }
  std::string text;
  char part[4096];
  for (ssize_t count; (count = ::read(terminal, part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(count));
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  ::close(terminal);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
  return text;
}

TEST(ProgressBar, ShowsLossAccuracyRateAndTimeLeftOnATerminal) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(400));
  const std::string text = terminal_output(toy_training(data, folder.path("run")), nullptr);
  for (const char* part :
       {"epoch 1/3 [", "%", "loss ", "accuracy ", "reviews/s", "left", "\x1b[36m"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in\n" << text;
  }
}

TEST(ProgressBar, NoColorIsHonoured) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(400));
  const std::string text = terminal_output(toy_training(data, folder.path("run")), "1");
  EXPECT_NE(text.find("epoch 1/3 ["), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[3"), std::string::npos) << text;
}

TEST(ProgressBar, IsAbsentWhereThereIsNoTerminal) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(400));
  const CommandResult result = run_command(folder, toy_training(data, folder.path("run")));
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.error.find('\r'), std::string::npos);
  EXPECT_EQ(result.lines.size(), 3u) << result.output;
}

}  // namespace
}  // namespace sluice
