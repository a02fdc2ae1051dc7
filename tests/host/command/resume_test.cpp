// Stopping by signals, and going on with --resume.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "host/checkpoint/training_checkpoint.h"
#include "host/tasks/list.h"
#include "tests/host/command/command_run.h"
#include "tests/sanitized.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// Some thousand examples are about two seconds of training, so that a signal meets it in the
// middle.
Arguments training(const Arguments& examples, const std::string& out) {
  Arguments all = {"train", "--out",     out, "--hidden",   "24",     "--embed",
                   "16",    "--epochs",  "8", "--batch",    "8",      "--device",
                   "cpu",   "--threads", "1", "--patience", "0",      "--dropout",
                   "0.1",   "--seed",    "3", "--schedule", "cosine", "--validation-split",
                   "0.2"};
  all.insert(all.end(), examples.begin(), examples.end());
  return all;
}

constexpr int kExamples = test::kSanitized ? 600 : 6000;

// Starts a training and sends it a signal once it has begun. Where this process was kept waiting
// for so long that the training ended first, another one is started.
int stop(const TemporaryFolder& folder, const Arguments& examples, const std::string& out,
         int signal, std::string* error = nullptr) {
  int code = 0;
  for (int attempt = 0; attempt < 10 && code == 0; ++attempt) {
    fs::remove_all(out);
    CommandRun run(folder, training(examples, out));
    while (!run.ended() && !fs::exists(out + "/checkpoint.safetensors")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const bool ended = run.ended();
    run.send(signal);
    code = run.wait();
    if (error != nullptr) *error = run.error();
    if (signal == SIGUSR1 && !ended) break;
  }
  return code;
}

struct Files {
  explicit Files(const std::string& run)
      : model(CommandRun::read(run + "/model.safetensors")),
        checkpoint(CommandRun::read(run + "/checkpoint.safetensors")) {}
  std::string model, checkpoint;
};

// Stopped by SIGTERM within an epoch.
void expect_the_bits_of_a_run_never_stopped(const TemporaryFolder& folder,
                                            const Arguments& examples) {
  const std::string whole = folder.path("whole"), stopped = folder.path("stopped");
  const CommandResult complete = run_command(folder, training(examples, whole));
  ASSERT_EQ(complete.code, 0) << complete.error;
  int batch = 0;
  for (int attempt = 0; attempt < 10 && batch == 0; ++attempt) {
    std::string error;
    ASSERT_EQ(stop(folder, examples, stopped, SIGTERM, &error), 143) << error;
    EXPECT_NE(error.find("--resume"), std::string::npos) << error;
    batch = load_training(stopped + "/checkpoint.safetensors").snapshot.state.batch;
  }
  ASSERT_GT(batch, 0) << "it was always stopped between two epochs";

  // Once with no option but the folder; the rest is the run's own.
  const CommandResult resumed = run_command(folder, {"train", "--resume", "--out", stopped});
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  EXPECT_NE(resumed.error.find("resuming in epoch"), std::string::npos) << resumed.error;
  EXPECT_EQ(Files(stopped).model, Files(whole).model);
  EXPECT_EQ(Files(stopped).checkpoint, Files(whole).checkpoint);
}

class EachTask : public testing::TestWithParam<std::string> {};

TEST_P(EachTask, ResumedHasTheBitsOfARunNeverStopped) {
  expect_the_bits_of_a_run_never_stopped(
      TemporaryFolder(),
      {"--task", GetParam(), "--count", std::to_string(kExamples * 2 / 3), "--words", "200"});
}

Arguments names_of_tasks() {
  Arguments names;
  for (const Task* task : all_tasks()) names.push_back(task->name());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Resume, EachTask, testing::ValuesIn(names_of_tasks()),
                         [](const auto& task) { return task.param; });

class Resume : public testing::Test {
 protected:
  void SetUp() override { examples_ = {"--data", folder_.write("data.csv", toy_csv(kExamples))}; }

  int stop(const std::string& out, int signal) {
    return sluice::stop(folder_, examples_, out, signal);
  }

  TemporaryFolder folder_;
  Arguments examples_;
};

TEST_F(Resume, AfterSigtermGivesTheBitsOfARunNeverStopped) {
  expect_the_bits_of_a_run_never_stopped(folder_, examples_);
}

TEST_F(Resume, AfterSigintExitsWith130AndTakesTheSameOptionsAgain) {
  const std::string out = folder_.path("run");
  ASSERT_EQ(stop(out, SIGINT), 130);
  EXPECT_EQ(run_command(folder_, {"eval", out, "--data", examples_[1], "--device", "cpu"}).code, 0)
      << "a stopped run must be usable";
  Arguments again = training(examples_, out);
  again.push_back("--resume");
  EXPECT_EQ(run_command(folder_, again).code, 0);
}

TEST_F(Resume, SigusrSavesAndGoesOn) {
  const std::string out = folder_.path("run");
  EXPECT_EQ(stop(out, SIGUSR1), 0);
}

TEST_F(Resume, RefusesOptionsThatChangeTheModel) {
  const std::string out = folder_.path("run");
  ASSERT_EQ(stop(out, SIGTERM), 143);
  const Files before(out);
  const CommandResult other =
      run_command(folder_, {"train", "--resume", "--out", out, "--hidden", "25"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.error.find("--hidden"), std::string::npos) << other.error;

  const std::string changed = folder_.write("changed.csv", toy_csv(kExamples - 1));
  const CommandResult data =
      run_command(folder_, {"train", "--resume", "--out", out, "--data", changed});
  EXPECT_EQ(data.code, 2);
  EXPECT_NE(data.error.find("training data"), std::string::npos) << data.error;
  EXPECT_EQ(Files(out).checkpoint, before.checkpoint);
}

TEST_F(Resume, RefusesADamagedCheckpoint) {
  const std::string out = folder_.path("run"), file = out + "/checkpoint.safetensors";
  ASSERT_EQ(stop(out, SIGTERM), 143);
  const std::string good = CommandRun::read(file);
  std::string edited = good;
  edited[edited.size() / 2] ^= 1;
  for (const std::string& bad : {good.substr(0, good.size() / 2), edited, std::string()}) {
    folder_.write("run/checkpoint.safetensors", bad);
    const CommandResult result = run_command(folder_, {"train", "--resume", "--out", out});
    EXPECT_EQ(result.code, 1) << result.error;
    EXPECT_NE(result.error.find("checkpoint.safetensors"), std::string::npos) << result.error;
    EXPECT_EQ(CommandRun::read(file), bad) << "it was overwritten";
  }
}

TEST_F(Resume, NeedsARunToGoOnWith) {
  EXPECT_EQ(run_command(folder_, {"train", "--resume", "--out", folder_.path("none")}).code, 2);
  EXPECT_EQ(run_command(folder_, {"train", "--resume"}).code, 2);
}

}  // namespace
}  // namespace sluice
