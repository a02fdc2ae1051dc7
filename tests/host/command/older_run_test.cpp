// A run that an older version left is used and gone on with. That of commit 1f30956 lies in
// run_of_1f30956/, as its command wrote it but for the path in config.json, beside its data:
//   sluice train --data data.csv --out run --cell lstm --hidden 5 --embed 6 --layers 2
//     --bidirectional --pool mean --vocab 30 --max-length 9 --dropout 0.05 --recurrent-dropout 0.1
//     --word-dropout 0.05 --epochs 24 --batch 8 --lr 0.03 --schedule constant --optimizer adamw
//     --weight-decay 0.01 --average-decay 0.9 --clip-norm 1 --monitor loss --device cpu --threads 1
//     --seed 5
// The numbers here are what that command printed; since then tanh has changed in its last bits.
#include <gtest/gtest.h>

#include "host/json/json.h"
#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

const std::string older_run = SLUICE_SOURCE_DIR "/tests/host/command/run_of_1f30956";
const std::string texts =
    "a fine film\nthe story was dull , dull\nnoisy scenes with honest actors!\n"
    "unheard words alone\n";

struct Answer {
  const char* label;
  double probability;
};

void expect_answers(const TemporaryFolder& folder, const std::string& run,
                    const std::vector<Answer>& expected, double tolerance) {
  const CommandResult result =
      run_command(folder, {"predict", run, "--json", "--device", "cpu"}, texts);
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Json line = Json::parse(result.lines[i]);
    EXPECT_EQ(line.at("label").get<std::string>(), expected[i].label) << result.lines[i];
    EXPECT_NEAR(line.at("probability").get<double>(), expected[i].probability, tolerance);
  }
}

TEST(OlderRun, PredictsWhatItsOwnVersionDid) {
  const TemporaryFolder folder;
  expect_answers(folder, older_run,
                 {{"good", 0.9366008043289185},
                  {"bad", 0.9949620962142944},
                  {"bad", 0.9919921159744263},
                  {"good", 0.8982541561126709}},
                 1e-5);
}

TEST(OlderRun, GoesOnAsItWouldHaveThere) {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  fs::copy(older_run, run, fs::copy_options::recursive);
  const CommandResult result = run_command(folder, {"train", "--resume", "--out", run, "--data",
                                                    run + "/data.csv", "--epochs", "27", "--json"});
  ASSERT_EQ(result.code, 0) << result.error;
  const struct {
    double train_loss, val_loss;
  } expected[] = {{0.19240646884039356, 0.05275984927235792},
                  {0.09039977723322981, 0.01554770728883644},
                  {0.13447022361193645, 0.015040707027462}};
  ASSERT_EQ(result.lines.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    const Json epoch = Json::parse(result.lines[i]);
    EXPECT_EQ(epoch.at("epoch").get<int>(), 25 + static_cast<int>(i));
    EXPECT_NEAR(epoch.at("train_loss").get<double>(), expected[i].train_loss, 1e-4);
    EXPECT_NEAR(epoch.at("val_loss").get<double>(), expected[i].val_loss, 1e-4);
  }
  expect_answers(folder, run,
                 {{"good", 0.9879928827285767},
                  {"bad", 0.9991328120231628},
                  {"bad", 0.9982682466506958},
                  {"bad", 0.6771254539489746}},
                 1e-3);
}

// Its version knew no --task, and did what is the default now.
TEST(OlderRun, TakesTheDefaultsOfOptionsThatItsVersionLacked) {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  fs::copy(older_run, run, fs::copy_options::recursive);
  const auto resume = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train",  "--resume",        "--out",    run,
                                          "--data", run + "/data.csv", "--epochs", "25"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(folder, arguments);
  };
  const CommandResult other = resume({"--task", "tagging"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.error.find("--task"), std::string::npos) << other.error;
  const CommandResult same = resume({"--task", "classification", "--zoneout-h", "0"});
  EXPECT_EQ(same.code, 0) << same.error;
}

TEST(OlderRun, AnOptionThatItsVersionLackedChangesTheModel) {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  fs::copy(older_run, run, fs::copy_options::recursive);
  const CommandResult result =
      run_command(folder, {"train", "--resume", "--out", run, "--data", run + "/data.csv",
                           "--epochs", "27", "--zoneout-h", "0.1"});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.error.find("--zoneout-h"), std::string::npos) << result.error;
}

}  // namespace
}  // namespace sluice
