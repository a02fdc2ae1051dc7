// `sluice eval`, `predict` and `info` on a trained run.
#include <gtest/gtest.h>

#include <set>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

class TrainedRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    run_ = folder_->path("run");
    const std::string data = folder_->write("data.csv", toy_csv(160));
    code_ = run_command(*folder_, toy_training(data, run_)).code;
    three_ = folder_->path("three");
    std::vector<std::string> arguments =
        toy_training(folder_->write("three.csv", toy_csv(240, {"a", "b", "c"})), three_);
    *(std::find(arguments.begin(), arguments.end(), "--epochs") + 1) = "8";
    code_ += run_command(*folder_, arguments).code;
  }
  static void TearDownTestSuite() { delete folder_; }
  void SetUp() override { ASSERT_EQ(code_, 0); }

  static TemporaryFolder* folder_;
  static std::string run_, three_;
  static int code_;
};
TemporaryFolder* TrainedRun::folder_ = nullptr;
std::string TrainedRun::run_, TrainedRun::three_;
int TrainedRun::code_ = -1;

TEST_F(TrainedRun, EvalGivesOneObject) {
  // Three rows with the labels swapped, so that the confusion is known.
  const std::string data = folder_->write(
      "eval.csv",
      "label,text\ngood,word1 film\ngood,word1 plot\nbad,word1 story\nbad,word0 music\n"
      "good,word0 film\nbad,word0 plot\n");
  const CommandResult result =
      run_command(*folder_, {"eval", run_, "--data", data, "--json", "--device", "cpu"});
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 1u);
  const Json object = Json::parse(result.lines[0]);
  std::set<std::string> keys;
  for (const auto& [key, value] : object.members()) keys.insert(key);
  EXPECT_EQ(keys,
            (std::set<std::string>{"examples", "accuracy", "loss", "f1", "seconds", "confusion"}));
  EXPECT_EQ(object.at("examples"), 6);
  EXPECT_EQ(object.at("confusion"), Json::parse("[[2,1],[1,2]]"));  // rows: bad, good
  EXPECT_DOUBLE_EQ(object.at("accuracy").get<double>(), 4.0 / 6.0);
  EXPECT_DOUBLE_EQ(object.at("f1").get<double>(), 2.0 / 3.0);
}

TEST_F(TrainedRun, EvalOfThreeClasses) {
  const std::string data = folder_->write("three-eval.csv", toy_csv(30, {"a", "b", "c"}));
  const CommandResult result =
      run_command(*folder_, {"eval", three_, "--data", data, "--json", "--device", "cpu"});
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(Json::parse(result.output).at("confusion"),
            Json::parse("[[10,0,0],[0,10,0],[0,0,10]]"));
}

TEST_F(TrainedRun, EvalWithoutDataNeedsARunOnBuiltinReviews) {
  EXPECT_EQ(run_command(*folder_, {"eval", run_, "--json", "--device", "cpu"}).code, 2);
}

TEST_F(TrainedRun, PredictAnswersEachLineInOrder) {
  const CommandResult result =
      run_command(*folder_, {"predict", run_, "--device", "cpu"},
                  "word1 film\nword0 scene story plot camera\r\n\nword1\tmusic");
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 4u) << result.output;
  const auto fields = [&](std::size_t i) {
    const std::string& line = result.lines[i];
    const auto first = line.find('\t'), second = line.find('\t', first + 1);
    return std::vector<std::string>{
        line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)};
  };
  EXPECT_EQ(fields(0)[0], "good");
  EXPECT_EQ(fields(0)[2], "word1 film");
  EXPECT_EQ(fields(1)[0], "bad");
  EXPECT_EQ(fields(1)[2], "word0 scene story plot camera");
  EXPECT_EQ(fields(2)[2], "");
  EXPECT_EQ(fields(3)[2], "word1\tmusic");
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_GE(std::stod(fields(i)[1]), 0.5);
    EXPECT_LE(std::stod(fields(i)[1]), 1.0);
  }
  EXPECT_NE(result.error.find("standard input:3"), std::string::npos) << result.error;
}

TEST_F(TrainedRun, PredictDoesNotDependOnTheBatch) {
  std::string input;
  for (int i = 0; i < 100; ++i) {
    input += "word" + std::to_string(i % 2);
    for (int w = 0; w < i % 13; ++w) input += " film";
    input += "\n";
  }
  const std::string file = folder_->write("texts.txt", input);
  const CommandResult one =
      run_command(*folder_, {"predict", run_, file, "--batch", "1", "--device", "cpu"});
  const CommandResult many =
      run_command(*folder_, {"predict", run_, file, "--batch", "64", "--device", "cpu"});
  ASSERT_EQ(one.lines.size(), 100u);
  ASSERT_EQ(many.lines.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(one.lines[i].substr(0, one.lines[i].find('\t')),
              many.lines[i].substr(0, many.lines[i].find('\t')));
  }
}

TEST_F(TrainedRun, PredictJsonLinesAreValidWhateverTheInput) {
  const CommandResult result = run_command(*folder_, {"predict", run_, "--json", "--device", "cpu"},
                                           "word1 \"film\"\nword0 \xff\n");
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 2u);
  const Json line = Json::parse(result.lines[0]);
  EXPECT_EQ(line.at("label"), "good");
  EXPECT_EQ(line.at("text"), "word1 \"film\"");
  EXPECT_GT(line.at("probability").get<double>(), 0.5);
  EXPECT_EQ(Json::parse(result.lines[1]).at("text"), "word0 \xEF\xBF\xBD");
  EXPECT_NE(result.error.find("standard input:2"), std::string::npos) << result.error;
  EXPECT_EQ(
      run_command(*folder_, {"predict", run_, "--strict", "--device", "cpu"}, "a\n\xff\n").code, 2);
}

TEST_F(TrainedRun, PredictFilesThatAreMissingOrEmpty) {
  EXPECT_EQ(run_command(*folder_, {"predict", run_, folder_->path("gone.txt")}).code, 2);
  EXPECT_EQ(run_command(*folder_, {"predict", run_, folder_->write("empty.txt", "")}).code, 2);
  EXPECT_EQ(run_command(*folder_, {"predict", run_, run_}).code, 2);
  EXPECT_EQ(run_command(*folder_, {"predict", folder_->path("no-run")}).code, 2);
}

TEST(Info, SaysWhatThereIs) {
  const TemporaryFolder folder;
  const CommandResult text = run_command(folder, {"info"});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.output.find("CPU instruction set: "), std::string::npos);
  const CommandResult result = run_command(folder, {"info", "--json"});
  ASSERT_EQ(result.code, 0) << result.error;
  const Json info = Json::parse(result.output);
  EXPECT_EQ(info.at("devices").at(0).at("device"), "cpu");
  for (const Json& device : info.at("devices").elements()) {
    EXPECT_EQ(device.contains("cluster_limits"), device.at("device") != "cpu") << device.dump();
  }
  EXPECT_TRUE(info.at("libraries").contains("oneDNN"));
  EXPECT_NE(text.output.find("cuDNN"), std::string::npos);
  EXPECT_NE(info.at("cudnn").is_null(), !info.contains("cudnn_problem")) << "a version or a reason";
  // The version of the build's project line.
  std::ifstream lists(SLUICE_SOURCE_DIR "/CMakeLists.txt");
  const std::string cmake{std::istreambuf_iterator<char>(lists), {}};
  EXPECT_NE(cmake.find("project(sluice VERSION " + info.at("version").get<std::string>()),
            std::string::npos);
}

}  // namespace
}  // namespace sluice
