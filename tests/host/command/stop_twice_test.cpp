// Whoever stops a training often sends two signals; the save is not lost by the second.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include "host/checkpoint/training_checkpoint.h"
#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class StopTwice : public testing::Test {
 protected:
  void SetUp() override { data_ = folder_.write("data.csv", toy_csv(400)); }

  // Without an end, and with a save every few milliseconds.
  std::vector<std::string> training(const std::string& out) const {
    std::vector<std::string> arguments = toy_training(data_, out);
    *(std::find(arguments.begin(), arguments.end(), "--epochs") + 1) = "1000000";
    arguments.insert(arguments.end(), {"--patience", "0"});
    return arguments;
  }

  static void wait_for_training(const std::string& out) {
    const auto start = std::chrono::steady_clock::now();
    while (!fs::exists(out + "/checkpoint.safetensors")) {
      if (std::chrono::steady_clock::now() - start > std::chrono::minutes(2)) {
        throw std::runtime_error(out + ": no training began");
      }
      std::this_thread::sleep_for(milliseconds(2));
    }
  }

  // A run that was stopped holds whole files and no temporary ones.
  void expect_resumable(const std::string& out) const {
    for (const auto& entry : fs::directory_iterator(out)) {
      EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
    }
    EXPECT_NO_THROW(load_training(out + "/checkpoint.safetensors")) << out;
    const CommandResult resumed =
        run_command(folder_, {"train", "--resume", "--out", out, "--epochs", "1"});
    EXPECT_EQ(resumed.code, 0) << resumed.error;
    EXPECT_NE(resumed.error.find("resuming in epoch"), std::string::npos) << resumed.error;
  }

  TemporaryFolder folder_;
  std::string data_;
};

struct Stopped {
  std::string out;
  int first = 0, second = 0;
  int gap = 0;  // milliseconds
  std::unique_ptr<CommandRun> run;
};

// Ten at a time, which keep one another from saving quickly.
TEST_F(StopTwice, FiftyTimes) {
  constexpr int at_a_time = 10;
  std::mt19937 random(1);
  for (int wave = 0; wave < 5; ++wave) {
    std::vector<Stopped> runs(at_a_time);
    for (int i = 0; i < at_a_time; ++i) {
      Stopped& stopped = runs[static_cast<std::size_t>(i)];
      stopped.out = folder_.path("run" + std::to_string(wave * at_a_time + i));
      stopped.first = i % 5 == 4 ? SIGINT : SIGTERM;
      stopped.second = i >= 8 ? SIGINT + SIGTERM - stopped.first : stopped.first;
      const int longest = i < 3 ? 0 : i < 7 ? 50 : 1000;
      stopped.gap = static_cast<int>(random() % static_cast<unsigned>(longest + 1));
      stopped.run = std::make_unique<CommandRun>(folder_, training(stopped.out));
    }
    for (const Stopped& stopped : runs) wait_for_training(stopped.out);
    std::stable_sort(runs.begin(), runs.end(),
                     [](const Stopped& a, const Stopped& b) { return a.gap < b.gap; });
    int waited = 0;
    for (const Stopped& stopped : runs) {
      EXPECT_FALSE(stopped.run->ended()) << stopped.run->error();
      stopped.run->send(stopped.first);
      if (stopped.gap == 0) stopped.run->send(stopped.second);
    }
    for (const Stopped& stopped : runs) {
      std::this_thread::sleep_for(milliseconds(stopped.gap - std::exchange(waited, stopped.gap)));
      if (stopped.gap > 0) stopped.run->send(stopped.second);
    }
    for (const Stopped& stopped : runs) {
      const int code = stopped.run->wait();
      // Of two signals that wait together the system hands over the lower first.
      EXPECT_TRUE(code == 128 + stopped.first || code == 128 + stopped.second)
          << code << ", signals " << stopped.first << " and " << stopped.second << " after "
          << stopped.gap << " ms: " << stopped.run->error();
      EXPECT_NE(stopped.run->error().find("stopped and saved after step"), std::string::npos);
      expect_resumable(stopped.out);
    }
  }
}

// timeout sends its signal to the training and to the group that the training is in.
TEST_F(StopTwice, ByTimeout) {
  if (std::system("command -v timeout > /dev/null") != 0) GTEST_SKIP() << "no timeout here";
  for (int i = 0; i < 10; ++i) {
    const std::string out = folder_.path("timeout" + std::to_string(i));
    std::vector<std::string> words = {"timeout", "60", SLUICE_COMMAND};
    for (const std::string& argument : training(out)) words.push_back(argument);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t process = ::fork();
    ASSERT_GE(process, 0);
    if (process == 0) {
      const int sink = ::open("/dev/null", O_WRONLY);
      ::dup2(sink, STDOUT_FILENO);
      ::dup2(sink, STDERR_FILENO);
      ::execvp("timeout", argv.data());
      ::_exit(127);
    }
    wait_for_training(out);
    ::kill(process, SIGTERM);  // as if its time were up
    int status = 0;
    ASSERT_EQ(::waitpid(process, &status, 0), process);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 143) << status;
    expect_resumable(out);
  }
}

}  // namespace
}  // namespace sluice
