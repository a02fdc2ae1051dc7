// Tagging end to end: `sluice train`, `eval` and `predict`.
#include <gtest/gtest.h>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// The label of a word is that of the word before: first "start", then "after-a" or "after-b".
std::string columns(int sentences) {
  std::string text;
  for (int i = 0; i < sentences; ++i) {
    std::string label = "start";
    for (int t = 0; t <= i % 7; ++t) {
      const char word = ((i * 37) >> t) % 2 == 0 ? 'a' : 'b';
      text += std::string(1, word) + "\t" + label + "\n";
      label = std::string("after-") + word;
    }
    text += "\n";
  }
  return text;
}

// The sign of the sum of the first numbers so far; `label`: the last of them, for the whole.
std::string frames(int records, bool steps) {
  std::string text;
  for (int i = 0; i < records; ++i) {
    Json numbers = Json::array(), labels = Json::array();
    double sum = 0.0;
    for (int t = 0; t <= 2 + i % 5; ++t) {
      const double number = ((i * 7 + t * t * 11 + t * 3) % 13 - 6 + 0.5) / 6.0;
      sum += number;
      numbers.push_back(Json::array({number, 0.25}));
      labels.push_back(sum > 0 ? "up" : "down");
    }
    Json record = Json::object({{"frames", numbers}});
    steps ? record["labels"] = labels : record["label"] = labels.elements().back();
    text += record.dump() + "\n";
  }
  return text;
}

std::vector<std::string> training(const std::vector<std::string>& more, const char* epochs = "6") {
  std::vector<std::string> arguments = {"train", "--hidden",  "12",   "--embed", "8", "--epochs",
                                        epochs,  "--lr",      "0.03", "--batch", "8", "--device",
                                        "cpu",   "--threads", "1",    "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class TaggedRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    data_ = folder_->write("data.conll", columns(300));
    run_ = folder_->path("run");
    trained_ = run_command(
        *folder_, training({"--task", "tagging", "--data", data_, "--test", data_, "--out", run_}));
  }
  static void TearDownTestSuite() { delete folder_; }
  void SetUp() override { ASSERT_EQ(trained_.code, 0) << trained_.error; }

  static CommandResult predict(const std::vector<std::string>& more, const std::string& input) {
    std::vector<std::string> arguments = {"predict", run_, "--device", "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(*folder_, arguments, input);
  }

  static TemporaryFolder* folder_;
  static std::string data_, run_;
  static CommandResult trained_;
};
TemporaryFolder* TaggedRun::folder_ = nullptr;
std::string TaggedRun::data_, TaggedRun::run_;
CommandResult TaggedRun::trained_;

TEST_F(TaggedRun, TrainsAndTests) {
  ASSERT_EQ(trained_.lines.size(), 7u) << trained_.output;
  EXPECT_EQ(Json::parse(trained_.lines.back()).at("test_accuracy"), 1.0);
}

TEST_F(TaggedRun, EvalGivesEachClass) {
  const std::string data =
      folder_->write("eval.jsonl", R"({"tokens":["a","b"],"labels":["start","after-a"]})"
                                   "\n"
                                   R"({"words":["b","b"],"ner_tags":["start","start"]})"
                                   "\n");
  const CommandResult result =
      run_command(*folder_, {"eval", run_, "--data", data, "--json", "--device", "cpu"});
  ASSERT_EQ(result.code, 0) << result.error;
  const Json object = Json::parse(result.output);
  EXPECT_EQ(object.at("examples"), 2);
  EXPECT_EQ(object.at("steps"), 4);
  EXPECT_EQ(object.at("accuracy"), 0.75);
  EXPECT_EQ(object.at("classes").at("start").at("precision"), 1.0);
  EXPECT_DOUBLE_EQ(object.at("classes").at("start").at("recall").get<double>(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(object.at("classes").at("start").at("f1").get<double>(), 0.8);
  EXPECT_EQ(object.at("classes").at("after-b").at("support"), 0);
  EXPECT_DOUBLE_EQ(object.at("macro_f1").get<double>(), (1.0 + 0.0 + 0.8) / 3.0);
  const CommandResult text =
      run_command(*folder_, {"eval", run_, "--data", data, "--device", "cpu"});
  EXPECT_NE(text.output.find("start\t1.0000\t0.6667\t0.8000\t3"), std::string::npos) << text.output;
}

TEST_F(TaggedRun, PredictTakesEveryFormOfInput) {
  const std::string expected = "a\tstart\nb\tafter-a\n\nb\tstart\na\tafter-b\na\tafter-a\n";
  const std::vector<std::string> inputs = {
      "a b\n\nb a a",                                                  // text
      "a\nb\n\nb\na\na\n",                                             // tokens
      "a\tstart\nb\tx\n\nb\tx\na\tx\na\tx\n",                          // columns by tabs
      "a NN x\nb NN x\n\nb NN x\na NN x\na NN x\n",                    // columns by blanks
      "{\"tokens\":[\"a\",\"b\"]}\n{\"text\":\"b  a a\",\"id\":7}\n",  // JSON lines
  };
  for (const std::string& input : inputs) {
    const CommandResult result = predict({}, input);
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.output, expected) << input;
    EXPECT_EQ(predict({"--batch", "1"}, input).output, expected) << input;
  }
  EXPECT_EQ(predict({"--format", "text"}, "a\nb").output, "a\tstart\n\nb\tstart\n");
  EXPECT_EQ(predict({"--format", "conll"}, "a x\nb x").output, "a\tstart\nb\tafter-a\n");
  EXPECT_EQ(predict({folder_->write("named.tsv", "a\tx")}, "").output, "a\tstart\n");
}

TEST_F(TaggedRun, PredictAnswersEveryTokenOfALongSentence) {
  std::string sentence;
  for (int i = 0; i < 1000; ++i) sentence += "a ";
  EXPECT_EQ(predict({}, sentence).lines.size(), 1000u) << "--max-length is 400";
}

TEST_F(TaggedRun, PredictJsonIsALineARecord) {
  const CommandResult result = predict(
      {"--json"}, "{\"tokens\":[\"a\",\"\\\"\"]}\nnonsense\n{\"tokens\":[\"b\"],\"labels\":[1]}\n");
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 3u) << result.output;
  const Json first = Json::parse(result.lines[0]);
  EXPECT_EQ(first.at("tokens"), Json::array({"a", "\""}));
  EXPECT_EQ(first.at("labels"), Json::array({"start", "after-a"}));
  ASSERT_EQ(first.at("probabilities").size(), 2u);
  EXPECT_GT(first.at("probabilities").at(0).get<double>(), 0.5);
  EXPECT_TRUE(Json::parse(result.lines[1]).at("labels").elements().empty());
  EXPECT_NE(Json::parse(result.lines[1]).at("problem").get<std::string>().find("JSON object"),
            std::string::npos);
  EXPECT_EQ(Json::parse(result.lines[2]).at("labels"), Json::array({"start"}));
  EXPECT_NE(result.error.find("standard input:2"), std::string::npos) << result.error;
  EXPECT_EQ(predict({"--strict"}, "{\"tokens\":[\"a\"]}\nnonsense\n").code, 2);
}

TEST_F(TaggedRun, RefusesWhatItDoesNotTake) {
  const auto refused = [&](const CommandResult& result, const char* mentions) {
    EXPECT_EQ(result.code, 2) << result.error;
    EXPECT_NE(result.error.find(mentions), std::string::npos) << result.error;
  };
  refused(predict({}, "{\"frames\":[[1.0]]}\n"), "frames of 1 numbers");
  refused(predict({}, "[{\"tokens\":[\"a\"]}]\n"), "JSON array");
  refused(predict({"--task", "classification"}, "a\n"), "trained for tagging");
  refused(run_command(*folder_, {"eval", run_, "--task", "classification", "--data", data_}),
          "trained for tagging");
  refused(run_command(*folder_, {"train", "--resume", "--task", "classification", "--out", run_}),
          "--task is classification, but the run was started with tagging");
  refused(run_command(*folder_, {"eval", run_, "--data", folder_->write("x.csv", toy_csv(5)),
                                 "--device", "cpu"}),
          "expected jsonl or conll");
  refused(run_command(*folder_, training({"--task", "tagging", "--builtin", "long-memory", "--out",
                                          folder_->path("none")})),
          "--builtin long-memory");
}

TEST_F(TaggedRun, AResumedRunHasTheBitsOfOneThatNeverStopped) {
  const std::string half = folder_->path("half"), whole = folder_->path("whole");
  const auto train = [&](const std::string& out, const char* epochs) {
    return run_command(*folder_, training({"--task", "tagging", "--data", data_, "--out", out,
                                           "--schedule", "constant", "--dropout", "0.1",
                                           "--padding", "post", "--max-length", "9"},
                                          epochs));
  };
  ASSERT_EQ(train(whole, "4").code, 0);
  ASSERT_EQ(train(half, "2").code, 0);
  const CommandResult resumed =
      run_command(*folder_, {"train", "--resume", "--out", half, "--epochs", "4"});
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  for (const char* file : {"/model.safetensors", "/checkpoint.safetensors"}) {
    EXPECT_EQ(CommandRun::read(half + file), CommandRun::read(whole + file)) << file;
  }
}

TEST(Tagging, LearnsTheBuiltinSentencesFromBothSides) {
  const TemporaryFolder folder;
  double accuracy[2];
  for (const bool both : {false, true}) {
    const std::string run = folder.path(both ? "both" : "one");
    std::vector<std::string> arguments = {
        "train",    "--task", "tagging",  "--out", run,       "--json", "--count",      "3000",
        "--hidden", "32",     "--embed",  "32",    "--lr",    "0.01",   "--batch",      "32",
        "--epochs", "4",      "--device", "cpu",   "--words", "500",    "--test-count", "500"};
    if (both) arguments.push_back("--bidirectional");
    const CommandResult result = run_command(folder, arguments);
    ASSERT_EQ(result.code, 0) << result.error;
    accuracy[both] = Json::parse(result.lines.back()).at("test_accuracy").get<double>();
    const CommandResult eval =
        run_command(folder, {"eval", run, "--json", "--device", "cpu", "--count", "500"});
    ASSERT_EQ(eval.code, 0) << eval.error;
    EXPECT_EQ(Json::parse(eval.output).at("accuracy").get<double>(), accuracy[both]);
  }
  EXPECT_GT(accuracy[1], 0.99);
  EXPECT_LT(accuracy[0], 0.97);
}

TEST(Tagging, FramesAreTaggedAndClassified) {
  const TemporaryFolder folder;
  for (const bool steps : {true, false}) {
    const std::string task = steps ? "tagging" : "classification";
    const std::string data = folder.write(task + ".jsonl", frames(400, steps));
    const std::string run = folder.path(task);
    const CommandResult result = run_command(
        folder, training({"--task", task, "--data", data, "--test", data, "--out", run}));
    ASSERT_EQ(result.code, 0) << result.error;
    EXPECT_GT(Json::parse(result.lines.back()).at("test_accuracy").get<double>(), 0.9) << task;

    const std::string input =
        "{\"frames\":[[1,0.25],[1,0.25],[-1,0.25]]}\n{\"frames\":[[-1,0.25]]}\n";
    const CommandResult plain = run_command(folder, {"predict", run, "--device", "cpu"}, input);
    const CommandResult lines =
        run_command(folder, {"predict", run, "--json", "--device", "cpu"}, input);
    ASSERT_EQ(lines.code, 0) << lines.error;
    ASSERT_EQ(lines.lines.size(), 2u);
    const Json first = Json::parse(lines.lines[0]), second = Json::parse(lines.lines[1]);
    if (steps) {
      EXPECT_EQ(plain.output, "1\tup\n2\tup\n3\tup\n\n1\tdown\n");
      EXPECT_EQ(first.at("labels"), Json::array({"up", "up", "up"}));
      EXPECT_EQ(second.at("probabilities").size(), 1u);
    } else {
      EXPECT_EQ(plain.lines.size(), 2u);
      EXPECT_EQ(plain.output.substr(0, 3), "up\t");
      EXPECT_EQ(first.at("label"), "up");
      EXPECT_EQ(second.at("label"), "down");
    }
    EXPECT_EQ(run_command(folder, {"predict", run, "--device", "cpu"}, "some text\n").code, 2);
    const CommandResult narrow =
        run_command(folder, {"predict", run, "--device", "cpu"}, "{\"frames\":[[1],[2]]}\n");
    EXPECT_EQ(narrow.code, 2);
    EXPECT_NE(narrow.error.find("frames of 2 numbers"), std::string::npos) << narrow.error;
  }
}

TEST(Classification, ReadsJsonLinesWhenAsked) {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  ASSERT_EQ(run_command(folder, toy_training(folder.write("data.csv", toy_csv(160)), run)).code, 0);
  const CommandResult result =
      run_command(folder, {"predict", run, "--format", "jsonl", "--device", "cpu"},
                  "{\"text\":\"word1 film\"}\n{\"tokens\":[\"word0\",\"plot\"]}\n");
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 2u);
  EXPECT_EQ(result.lines[0].substr(0, 5), "good\t");
  EXPECT_EQ(result.lines[1].substr(0, 4), "bad\t");
  EXPECT_NE(result.lines[1].find("\tword0 plot"), std::string::npos);
  EXPECT_EQ(run_command(folder, {"predict", run, "--format", "conll"}, "a\n").code, 2);
}

}  // namespace
}  // namespace sluice
