// Whatever is wrong gets one clear message, exit code 1 or 2, and loses nothing that was saved.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Lines of standard error that are no notes on what is being done.
void expect_one_error(const CommandResult& result, int code, const std::string& says) {
  EXPECT_EQ(result.code, code) << result.error;
  EXPECT_NE(result.error.find(says), std::string::npos) << "expected '" << says << "', got\n"
                                                        << result.error;
}

class BadInput : public testing::Test {
 protected:
  // One trained run for all tests of this file.
  static void SetUpTestSuite() {
    shared_ = new TemporaryFolder;
    const std::string data = shared_->write("data.csv", toy_csv(80));
    trained_code_ = run_command(*shared_, toy_training(data, shared_->path("run"))).code;
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  void SetUp() override { ASSERT_EQ(trained_code_, 0); }

  CommandResult train(const std::string& data, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = toy_training(data, folder_.path("run"));
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(folder_, arguments);
  }
  CommandResult eval(const std::string& run, const std::string& data) {
    return run_command(folder_, {"eval", run, "--data", data, "--json", "--device", "cpu"});
  }
  // A copy of the trained run, to be damaged.
  std::string copy_of_run() {
    fs::copy(shared_->path("run"), folder_.path("copy"));
    return folder_.path("copy");
  }
  static std::string trained() { return shared_->path("run"); }

  TemporaryFolder folder_;
  static TemporaryFolder* shared_;
  static int trained_code_;
};
TemporaryFolder* BadInput::shared_ = nullptr;
int BadInput::trained_code_ = -1;

TEST_F(BadInput, WrongUsageIsTwo) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"fly"},
                                             {"train", "--hiden", "3"},
                                             {"train", "--hidden", "many", "--out", "x"},
                                             {"train", "--cell", "brain", "--out", "x"},
                                             {"train"},
                                             {"eval"},
                                             {"predict"},
                                             {"train", "--out", "x", "--hidden", "0"},
                                             {"train", "--out", "x", "--dropout", "1"},
                                             {"train", "--out", "x", "--lr", "-1"},
                                             {"train", "--out", "x", "--epochs", "0"},
                                             {"train", "--out", "x", "--batch", "0"},
                                             {"train", "--out", "x", "--layers", "0"},
                                             {"train", "--out", "x", "--count", "0"},
                                             {"train", "--out", "x", "--vocab", "-5"},
                                             {"train", "--out", "x", "--validation-split", "1"},
                                             {"train", "--out", "x", "--clip-norm", "-1"},
                                             {"train", "--out", "x", "--device", "tpu"},
                                             {"train", "--out", "x", "--threads", "-1"},
                                             {"train", "--out", "x", "--device", "cuda:999"},
                                             {"train", "--out", "", "--device", "cpu"}}) {
    const CommandResult result = run_command(folder_, arguments);
    EXPECT_EQ(result.code, 2) << (arguments.empty() ? "" : arguments.back()) << "\n"
                              << result.error;
    EXPECT_EQ(result.output, "");
    EXPECT_NE(result.error, "");
  }
  EXPECT_FALSE(fs::exists("x"));
}

TEST_F(BadInput, HelpAndVersionAreZero) {
  for (const char* command : {"train", "eval", "predict", "info"}) {
    const CommandResult result = run_command(folder_, {command, "--help"});
    EXPECT_EQ(result.code, 0);
    EXPECT_NE(result.output.find("--json"), std::string::npos);
  }
  EXPECT_EQ(run_command(folder_, {"--help"}).code, 0);
  EXPECT_EQ(run_command(folder_, {"--version"}).code, 0);
}

TEST_F(BadInput, MissingAndEmptyFiles) {
  expect_one_error(train(folder_.path("none.csv")), 2, "none.csv");
  expect_one_error(train(folder_.write("empty.csv", "")), 2, "empty.csv");
  expect_one_error(train(folder_.write("header.csv", "label,text\n")), 2, "header.csv");
  expect_one_error(train(folder_.write("good.csv", toy_csv(20)), {"--test", folder_.path("gone")}),
                   2, "gone");
  EXPECT_FALSE(fs::exists(folder_.path("run"))) << "no folder is left behind";
}

TEST_F(BadInput, MissingColumnSaysWhichThereAre) {
  expect_one_error(train(folder_.write("a.csv", "stars,words\n1,fine\n0,bad\n")), 2, "a.csv");
  expect_one_error(train(folder_.write("b.csv", toy_csv(20)), {"--text-column", "body"}), 2,
                   "body");
}

TEST_F(BadInput, ASingleLabelCannotBeLearned) {
  expect_one_error(train(folder_.write("a.csv", toy_csv(20, {"same"}))), 2, "label");
}

TEST_F(BadInput, UnclosedQuoteNamesFileAndLine) {
  expect_one_error(train(folder_.write("q.csv", "label,text\n1,fine\n0,\"never closed\n1,more\n")),
                   2, "q.csv:3");
}

TEST_F(BadInput, BadRowsAreCountedOrWithStrictFatal) {
  const std::string data =
      folder_.write("bad.csv", toy_csv(40) + "good,\"caf\xC3\x28\"\nbad,\"   \"\ngood,too,many\n");
  const CommandResult counted = train(data);
  EXPECT_EQ(counted.code, 0) << counted.error;
  EXPECT_NE(counted.error.find("3"), std::string::npos);
  EXPECT_NE(counted.error.find("bad.csv:42"), std::string::npos) << counted.error;
  fs::remove_all(folder_.path("run"));
  expect_one_error(train(data, {"--strict"}), 2, "bad.csv:42");
}

TEST_F(BadInput, ATenMegabyteLineIsABadRow) {
  std::string text = toy_csv(40) + "good,";
  for (int i = 0; i < 1'000'000; ++i) text += "longwords ";
  const std::string data = folder_.write("long.csv", text + "\nbad,word0 film\n");
  const CommandResult counted = train(data);
  EXPECT_EQ(counted.code, 0) << counted.error;
  EXPECT_NE(counted.error.find("long.csv:42: the text is 10000000 bytes"), std::string::npos)
      << counted.error;
  fs::remove_all(folder_.path("run"));
  expect_one_error(train(data, {"--strict"}), 2, "long.csv:42");
}

TEST_F(BadInput, UnknownLabelAtEvalNamesTheLine) {
  expect_one_error(eval(trained(), folder_.write("l.csv", "label,text\ngood,x\nugly,y\n")), 2,
                   "l.csv:3");
}

TEST_F(BadInput, LossThatIsNotANumberIsOne) {
  const CommandResult result =
      train(folder_.write("d.csv", toy_csv(80)), {"--optimizer", "sgd", "--lr", "1e38"});
  EXPECT_EQ(result.code, 2) << "--lr twice is wrong usage";
  std::vector<std::string> arguments = toy_training(folder_.path("d.csv"), folder_.path("nan"));
  *(std::find(arguments.begin(), arguments.end(), "--lr") + 1) = "1e38";
  // The decay alone overflows every weight in the first step.
  arguments.insert(arguments.end(), {"--optimizer", "sgd", "--weight-decay", "1000"});
  expect_one_error(run_command(folder_, arguments), 1, "not a finite number");
}

TEST_F(BadInput, AnExistingRunIsNotOverwritten) {
  const std::string run = copy_of_run();
  const std::string before = CommandRun::read(run + "/model.safetensors");
  const std::string data = folder_.write("d.csv", toy_csv(40));
  expect_one_error(run_command(folder_, toy_training(data, run)), 2, "already holds a run");
  EXPECT_EQ(CommandRun::read(run + "/model.safetensors"), before);
}

TEST_F(BadInput, AnUnwritableRunFolder) {
  const std::string data = folder_.write("d.csv", toy_csv(40));
  const std::string file = folder_.write("file", "x");
  expect_one_error(run_command(folder_, toy_training(data, file)), 2, "file");
  expect_one_error(run_command(folder_, toy_training(data, file + "/run")), 2, "not a folder");
  const CommandResult proc = run_command(folder_, toy_training(data, "/proc/sluice-run"));
  EXPECT_TRUE(proc.code == 1 || proc.code == 2) << proc.code;
  EXPECT_NE(proc.error.find("/proc/sluice-run"), std::string::npos) << proc.error;
}

TEST_F(BadInput, ADamagedModelIsRefused) {
  const std::string data = folder_.write("d.csv", toy_csv(40));
  const std::string run = copy_of_run();
  const std::string good = CommandRun::read(run + "/model.safetensors");
  std::string edited = good;
  edited[edited.size() - 100] ^= 4;
  for (const std::string& bad :
       {good.substr(0, good.size() - 1), edited, std::string("{}"), std::string()}) {
    folder_.write("copy/model.safetensors", bad);
    expect_one_error(eval(run, data), 1, "model.safetensors");
  }
  fs::remove(run + "/model.safetensors");
  expect_one_error(eval(run, data), 2, "model.safetensors");
  expect_one_error(eval(folder_.path("nothing"), data), 2, "nothing");
}

TEST_F(BadInput, AnotherVocabularyIsRefused) {
  const std::string data = folder_.write("d.csv", toy_csv(40));
  const std::string run = copy_of_run();
  const std::string words = folder_.write("w.csv", "label,text\na,other words\nb,than before\n");
  ASSERT_EQ(run_command(folder_, toy_training(words, folder_.path("other"))).code, 0);
  fs::copy(folder_.path("other") + "/vocabulary.tsv", run + "/vocabulary.tsv",
           fs::copy_options::overwrite_existing);
  expect_one_error(eval(run, data), 1, "does not match the model");
  fs::remove(run + "/vocabulary.tsv");
  expect_one_error(eval(run, data), 2, "vocabulary.tsv");
}

TEST_F(BadInput, ConfigurationFilesAreChecked) {
  const auto config = [&](const std::string& text) {
    return run_command(folder_, {"train", "--out", folder_.path("run"), "--config",
                                 folder_.write("c.toml", text)});
  };
  expect_one_error(config("hidden = 8\nhiden = 9\n"), 2, "c.toml:2");
  expect_one_error(config("hidden = 8\nhiden = 9\n"), 2, "hiden");
  expect_one_error(config("hidden = \n"), 2, "c.toml:1");
  expect_one_error(config("hidden = \"many\"\n"), 2, "hidden");
  expect_one_error(config("bidirectional = 3\n"), 2, "true or false");
  expect_one_error(config("[model]\nhidden = 3\n"), 2, "model");
  expect_one_error(
      run_command(folder_, {"train", "--out", "x", "--config", folder_.path("no.toml")}), 2,
      "no.toml");
}

TEST_F(BadInput, AFullDiskLosesNothing) {
  const std::string data = folder_.write("d.csv", toy_csv(40)), out = folder_.path("run");
  const std::vector<std::string> arguments = {"train",    "--data", data,       "--out", out,
                                              "--epochs", "1",      "--device", "cpu"};
  ASSERT_EQ(run_command(folder_, arguments).code, 0);
  const std::string checkpoint = CommandRun::read(out + "/checkpoint.safetensors");

  // A limit on the size of files, which the command inherits, stands in for the full disk.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {checkpoint.size() / 2, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const CommandResult resumed =
      run_command(folder_, {"train", "--resume", "--out", out, "--epochs", "2"});
  const CommandResult fresh = run_command(
      folder_, {"train", "--data", data, "--out", folder_.path("fresh"), "--device", "cpu"});
  setrlimit(RLIMIT_FSIZE, &before);
  expect_one_error(resumed, 1, "checkpoint.safetensors");
  EXPECT_EQ(CommandRun::read(out + "/checkpoint.safetensors"), checkpoint);
  EXPECT_EQ(eval(out, data).code, 0);
  expect_one_error(fresh, 1, "checkpoint.safetensors");
  EXPECT_TRUE(fs::is_empty(folder_.path("fresh"))) << "half a run was left";
}

TEST_F(BadInput, AStandardOutputThatCannotBeWrittenIsOne) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  expect_one_error(run_command(folder_, {"info"}, "", "/dev/full"), 1, "standard output");
  expect_one_error(
      run_command(folder_, {"predict", trained(), "--device", "cpu"}, "fine\n", "/dev/full"), 1,
      "standard output");
  // A training goes on to its end and saves before it says so.
  const std::string data = folder_.write("d.csv", toy_csv(40));
  expect_one_error(run_command(folder_, toy_training(data, folder_.path("run")), "", "/dev/full"),
                   1, "standard output");
  EXPECT_EQ(eval(folder_.path("run"), data).code, 0);
}

}  // namespace
}  // namespace sluice
