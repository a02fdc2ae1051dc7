// The long-memory task: the first sentence decides, up to 200 tokens before the end. LSTM and GRU
// learn it, the vanilla RNN does not, and the gradients by each step's input show why.
//
// Test accuracy on 500 reviews, 6 epochs of 3,600 (2 cores, AVX-512), and the mean gradient norm
// 0, 100 and 200 steps from the end of the text:
//   LSTM 1.000   5.7e-04  7.2e-09  1.8e-10
//   GRU  1.000   2.5e-04  9.6e-06  2.2e-04
//   RNN  0.510   7.2e-02  9.1e-23  0
#include <gtest/gtest.h>

#include "tests/host/command/command_run.h"

namespace sluice {
namespace {

struct Outcome {
  double accuracy = 0.0;
  std::vector<double> gradient_norms;  // by distance from the end
};

Outcome train(const std::string& cell) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(folder, {"train",
                                                    "--out",
                                                    folder.path("run"),
                                                    "--builtin",
                                                    "long-memory",
                                                    "--distance",
                                                    "200",
                                                    "--count",
                                                    "4000",
                                                    "--test-count",
                                                    "500",
                                                    "--epochs",
                                                    "6",
                                                    "--lr",
                                                    "0.003",
                                                    "--schedule",
                                                    "constant",
                                                    "--init",
                                                    "pytorch",
                                                    "--clip-norm",
                                                    "1",
                                                    "--cell",
                                                    cell,
                                                    "--gradient-norms",
                                                    "--json",
                                                    "--device",
                                                    "cpu"});
  EXPECT_EQ(result.code, 0) << result.error;
  Outcome outcome;
  for (const std::string& line : result.lines) {
    const Json object = Json::parse(line);
    if (object.contains("test_accuracy"))
      outcome.accuracy = object.at("test_accuracy").get<double>();
    if (object.contains("gradient_norm"))
      outcome.gradient_norms.push_back(object.at("gradient_norm").get<double>());
  }
  EXPECT_GT(outcome.gradient_norms.size(), 200u);
  outcome.gradient_norms.resize(201);
  std::printf("%s: test accuracy %.3f, gradient norms %.1e %.1e %.1e\n", cell.c_str(),
              outcome.accuracy, outcome.gradient_norms[0], outcome.gradient_norms[100],
              outcome.gradient_norms[200]);
  return outcome;
}

// How much of the gradient 100 steps from the end is left at 200.
double far_over_near(const Outcome& outcome) {
  return outcome.gradient_norms[200] / outcome.gradient_norms[100];
}

TEST(LongMemory, LstmRemembers) {
  const Outcome outcome = train("lstm");
  EXPECT_GE(outcome.accuracy, 0.95);
  EXPECT_GT(far_over_near(outcome), 1e-4);
}

TEST(LongMemory, GruRemembers) {
  const Outcome outcome = train("gru");
  EXPECT_GE(outcome.accuracy, 0.95);
  EXPECT_GT(far_over_near(outcome), 1e-4);
}

TEST(LongMemory, VanillaRnnForgets) {
  const Outcome outcome = train("rnn");
  EXPECT_LT(outcome.accuracy, 0.95);
  EXPECT_LE(outcome.gradient_norms[200], 1e-8 * outcome.gradient_norms[100]);  // both may be 0
  EXPECT_LT(outcome.gradient_norms[200], 1e-20);
}

}  // namespace
}  // namespace sluice
