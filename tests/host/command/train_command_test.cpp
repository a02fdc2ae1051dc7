// `sluice train`, end to end.
#include <gtest/gtest.h>

#include <set>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.members()) keys.insert(key);
  return keys;
}

TEST(TrainCommand, WritesOneJsonObjectAnEpochThenTheTest) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(160));
  const std::string test = folder.write("test.csv", toy_csv(40));
  const CommandResult result =
      run_command(folder, with(toy_training(data, folder.path("run")), {"--test", test, "--json"}));
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 4u) << result.output;
  const std::set<std::string> expected = {"epoch",
                                          "train_loss",
                                          "train_accuracy",
                                          "val_loss",
                                          "val_accuracy",
                                          "examples_per_second",
                                          "tokens_per_second",
                                          "seconds",
                                          "peak_memory_bytes",
                                          "device"};
  for (int epoch = 1; epoch <= 3; ++epoch) {
    const Json line = Json::parse(result.lines[static_cast<std::size_t>(epoch - 1)]);
    EXPECT_EQ(keys_of(line), expected);
    EXPECT_EQ(line.at("epoch"), epoch);
    EXPECT_EQ(line.at("device"), "cpu");
    EXPECT_GT(line.at("peak_memory_bytes").get<double>(), 1e6);
    EXPECT_GT(line.at("tokens_per_second").get<double>(),
              line.at("examples_per_second").get<double>());
  }
  const Json last = Json::parse(result.lines[3]);
  EXPECT_EQ(keys_of(last), (std::set<std::string>{"test_loss", "test_accuracy", "test_examples"}));
  EXPECT_EQ(last.at("test_examples"), 40);
  EXPECT_EQ(last.at("test_accuracy"), 1.0);
  for (const char* file :
       {"model.safetensors", "vocabulary.tsv", "checkpoint.safetensors", "config.json"}) {
    EXPECT_TRUE(fs::exists(folder.path("run") + "/" + file)) << file;
  }
}

TEST(TrainCommand, MoreClassesAndEveryModelOptionLearnToo) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(240, {"3", "10", "-1"}));
  const std::vector<std::vector<std::string>> variants = {
      {"--cell",
       "gru",
       "--bidirectional",
       "--layers",
       "2",
       "--pool",
       "max",
       "--dropout",
       "0.1",
       "--recurrent-dropout",
       "0.1",
       "--optimizer",
       "adamw",
       "--weight-decay",
       "0.01",
       "--schedule",
       "cosine",
       "--clip-norm",
       "1",
       "--bucketing",
       "4"},
      {"--cell", "rnn", "--pool", "mean", "--optimizer", "rmsprop", "--schedule", "warmup",
       "--clip-value", "0.5", "--init", "pytorch", "--padding", "pre", "--max-length", "12"},
      {"--cell", "gru_reset_before", "--optimizer", "sgd", "--momentum", "0.9", "--nesterov",
       "--schedule", "plateau", "--clip-tensor-norm", "1", "--lr", "0.1", "--pool", "max"}};
  int number = 0;
  for (const std::vector<std::string>& variant : variants) {
    std::vector<std::string> arguments = {"train",
                                          "--data",
                                          data,
                                          "--test",
                                          data,
                                          "--out",
                                          folder.path("run" + std::to_string(++number)),
                                          "--json",
                                          "--hidden",
                                          "8",
                                          "--embed",
                                          "8",
                                          "--epochs",
                                          "8",
                                          "--batch",
                                          "8",
                                          "--device",
                                          "cpu"};
    if (number < 3) arguments.insert(arguments.end(), {"--lr", "0.02"});
    const CommandResult result = run_command(folder, with(arguments, variant));
    ASSERT_EQ(result.code, 0) << result.error;
    EXPECT_GT(Json::parse(result.lines.back()).at("test_accuracy").get<double>(), 0.9)
        << "variant " << number;
  }
}

TEST(TrainCommand, AutoSaysInOneLineThatItRunsOnTheCpu) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(60));
  std::vector<std::string> arguments = toy_training(data, folder.path("run"));
  *std::find(arguments.begin(), arguments.end(), "cpu") = "auto";
  const CommandResult result = run_command(folder, with(arguments, {"--json"}));
  ASSERT_EQ(result.code, 0) << result.error;
  if (Json::parse(result.lines[0]).at("device") == "cpu") {
    EXPECT_NE(result.error.find("running on the CPU: "), std::string::npos) << result.error;
  }
}

TEST(TrainCommand, SameBitsForTheSameSeedWithOneOrTwoThreads) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(200));
  std::vector<std::string> models;
  for (const char* threads : {"1", "1", "2"}) {
    const std::string out = folder.path("run" + std::to_string(models.size()));
    std::vector<std::string> arguments = toy_training(data, out);
    *(std::find(arguments.begin(), arguments.end(), "--threads") + 1) = threads;
    ASSERT_EQ(run_command(folder, with(arguments, {"--dropout", "0.2", "--bidirectional"})).code,
              0);
    models.push_back(CommandRun::read(out + "/model.safetensors"));
  }
  EXPECT_FALSE(models[0].empty());
  EXPECT_EQ(models[0], models[1]);
  EXPECT_EQ(models[0], models[2]);
}

TEST(TrainCommand, OptionsFromAFileYieldToTheCommandLine) {
  const TemporaryFolder folder;
  const std::string config = folder.write(
      "recipe.toml", "# a recipe\nhidden = 12\nlr = 0.02\nbidirectional = true\npool = \"max\"\n");
  const CommandResult dump =
      run_command(folder, {"train", "--config", config, "--hidden", "9", "--dump-config"});
  ASSERT_EQ(dump.code, 0) << dump.error;
  for (const char* line : {"hidden = 9\n", "lr = 0.02\n", "bidirectional = true\n",
                           "pool = \"max\"\n", "embed = 128\n"}) {
    EXPECT_NE(("\n" + dump.output).find("\n" + std::string(line)), std::string::npos)
        << line << dump.output;
  }
  const std::string again = folder.write("again.toml", dump.output);
  EXPECT_EQ(run_command(folder, {"train", "--config", again, "--dump-config"}).output, dump.output);
}

TEST(TrainCommand, GradientNormsComeByDistanceFromTheEnd) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(100));
  const CommandResult result = run_command(
      folder, with(toy_training(data, folder.path("run")), {"--json", "--gradient-norms"}));
  ASSERT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(result.lines.size(), 3u + 10u) << result.output;  // the longest text has 10 tokens
  for (std::size_t d = 0; d < 10; ++d) {
    const Json line = Json::parse(result.lines[3 + d]);
    EXPECT_EQ(line.at("steps_from_end"), d);
    EXPECT_GT(line.at("gradient_norm").get<double>(), 0.0);
  }
}

TEST(TrainCommand, LstmPassesNinetyFivePercentOnTheBuiltinReviews) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      folder,
      {"train", "--out", folder.path("run"), "--device", "cpu", "--json", "--test-count", "1000"});
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_GT(Json::parse(result.lines.back()).at("test_accuracy").get<double>(), 0.95)
      << result.output;

  const CommandResult eval = run_command(
      folder, {"eval", folder.path("run"), "--json", "--device", "cpu", "--count", "1000"});
  ASSERT_EQ(eval.code, 0) << eval.error;
  EXPECT_EQ(Json::parse(eval.output).at("accuracy"),
            Json::parse(result.lines.back()).at("test_accuracy"));
}

// On the built-in reviews, small enough for the CPU's way with 16-bit types.
TEST(TrainCommand, The16BitTypesReachFloat32sAccuracy) {
  const TemporaryFolder folder;
  for (const std::string type : {"float32", "bfloat16", "float16"}) {
    const CommandResult result = run_command(
        folder, {"train",        "--out", folder.path(type), "--device", "cpu",        "--json",
                 "--count",      "4000",  "--words",         "300",      "--distance", "8",
                 "--hidden",     "24",    "--embed",         "24",       "--epochs",   "4",
                 "--lr",         "0.01",  "--batch",         "32",       "--dtype",    type,
                 "--test-count", "400"});
    ASSERT_EQ(result.code, 0) << result.error;
    EXPECT_GT(Json::parse(result.lines.back()).at("test_accuracy").get<double>(), 0.95)
        << type << "\n"
        << result.output;
    EXPECT_EQ(result.error.find("slow") != std::string::npos, type != "float32") << result.error;
  }
  // Checkpoints are float32 whatever computed them, so that the others read them.
  const CommandResult eval = run_command(
      folder, {"eval", folder.path("bfloat16"), "--json", "--device", "cpu", "--count", "400"});
  ASSERT_EQ(eval.code, 0) << eval.error;
  EXPECT_GT(Json::parse(eval.output).at("accuracy").get<double>(), 0.95);
}

TEST(TrainCommand, TypesThatDoNotFitAreRefusedAndAResumedRunKeepsItsOwn) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.csv", toy_csv(60)), out = folder.path("run");
  const auto refused = [&](const std::vector<std::string>& more, const char* mentions) {
    const CommandResult result = run_command(folder, with(toy_training(data, out), more));
    EXPECT_EQ(result.code, 2) << result.error;
    EXPECT_NE(result.error.find(mentions), std::string::npos) << result.error;
  };
  refused({"--dtype", "float8"}, "float8");
  refused({"--dtype", "float16", "--tf32"}, "tf32");
  const CommandResult run =
      run_command(folder, with(toy_training(data, out), {"--dtype", "float16"}));
  ASSERT_EQ(run.code, 0) << run.error;
  const CommandResult other =
      run_command(folder, {"train", "--resume", "--out", out, "--dtype", "bfloat16"});
  EXPECT_EQ(other.code, 2) << other.error;
  EXPECT_NE(other.error.find("float16"), std::string::npos) << other.error;
  EXPECT_EQ(run_command(folder, {"train", "--resume", "--out", out}).code, 0);
}

}  // namespace
}  // namespace sluice
