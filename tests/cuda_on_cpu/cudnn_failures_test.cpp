// A cuDNN that refuses calls of its faster algorithms, or fails in them: passes go on by the
// standard one, with the same gradients, as long as the device can.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cuda_on_cpu/device.h"
#include "kernels/device/graph.h"
#include "tests/engine/recurrent_pass.h"

namespace {
bool breaks_the_context = false;
}  // namespace

/// The imagined cuDNN calls it when it fails halfway.
extern "C" void imagined_cudnn_failed_halfway() {
  if (breaks_the_context) cuda_on_cpu::break_context(cudaErrorIllegalAddress);
}

namespace sluice::test {
namespace {

/// While it lives, the imagined cuDNN fails as imagined_cudnn/failures.h says.
class Failing {
 public:
  explicit Failing(const std::string& how) { setenv("IMAGINED_CUDNN_FAILS", how.c_str(), 1); }
  ~Failing() { unsetenv("IMAGINED_CUDNN_FAILS"); }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
};

constexpr std::int32_t steps = 5, batch = 4;
const SequenceLayout layout = SequenceLayout::equal(steps, batch);  // even: persist_static_small_h
const PassShape shape{steps * batch, steps, batch, true};

RecurrentConfig layers(Cell cell, double dropout = 0.0) {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = 5;
  config.hidden_size = 6;
  config.num_layers = 2;
  config.bidirectional = true;
  config.layer_dropout = dropout;  // makes each layer a call of its own
  return config;
}

void expect_close(const char* name, const std::vector<float>& got,
                  const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 2e-5f * std::max(1.0f, std::abs(expected[i])))
        << name << "[" << i << "]";
  }
}

void expect_same_results(const RecurrentPass<float>& got, const RecurrentPass<float>& expected) {
  expect_close("y", got.y, expected.y);
  expect_close("h_n", got.h_n, expected.h_n);
  expect_close("c_n", got.c_n, expected.c_n);
  expect_close("dx", got.dx, expected.dx);
  expect_close("dh0", got.dh0, expected.dh0);
  expect_close("dc0", got.dc0, expected.dc0);
  expect_close("d_parameters", got.d_parameters, expected.d_parameters);
}

std::unique_ptr<RecurrentPass<float>> pass_of(const RecurrentConfig& config,
                                              const Backend& backend) {
  auto pass = std::make_unique<RecurrentPass<float>>(config, backend, layout);
  fill_inputs(*pass);
  pass->seed = 7;
  return pass;
}

constexpr const char* functions[] = {"cudnnRNNForward", "cudnnRNNBackwardData_v8",
                                     "cudnnRNNBackwardWeights_v8"};

TEST(CudnnFailures, OfAFasterAlgorithmLeaveThePassToTheStandardOne) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    for (const double dropout : {0.0, 0.4}) {
      const RecurrentConfig config = layers(cell, dropout);
      const auto expected = pass_of(config, {DeviceKind::cpu, Algorithm::stepwise});
      expected->forward();
      expected->backward();
      for (const char* function : functions) {
        for (const int status : {2000, 3002, 4001, 5000, 5003}) {
          const std::string how = std::string(function) + "=" + std::to_string(status);
          SCOPED_TRACE(std::string(name_of(cell)) + " " + how);
          const auto got = pass_of(config, {DeviceKind::cuda, Algorithm::cudnn});
          EXPECT_NE(got->plan().explain(shape).find("its algorithm persist_static_small_h"),
                    std::string::npos);
          {
            const Failing failing(how);
            got->forward();
            got->backward();
            expect_same_results(*got, *expected);
          }
          const std::string text = got->plan().explain(shape);
          EXPECT_NE(text.find("its algorithm standard (not persist_static_small_h, since " +
                              std::string(function) + " failed: CUDNN_STATUS_"),
                    std::string::npos)
              << text;
          got->forward();  // by the standard one from the beginning
          got->backward();
          expect_same_results(*got, *expected);
        }
      }
    }
  }
}

/// One pass of a plan that others share.
class SharedPlanPass {
 public:
  SharedPlanPass(const RecurrentPlan& plan, const TestDevice& device, std::uint32_t seed)
      : plan_(plan),
        queue_(device.queue()),
        parameters_(queue_, random_numbers<float>(count_of_parameters(plan.config()), 1, 0.6)),
        x_(queue_, random_numbers<float>(shape.rows * 5, seed)),
        dy_(queue_, random_numbers<float>(shape.rows * 12, seed + 1)),
        y_(queue_, dy_.bytes()),
        dx_(queue_, x_.bytes()),
        d_parameters_(queue_, parameters_.bytes()),
        reserve_(queue_, plan.reserve_bytes(shape)),
        workspace_(queue_, plan.workspace_bytes(shape)),
        layout_memory_(queue_, SequenceLayout::device_bytes(shape.rows, steps, batch)),
        sequences_(layout.upload(queue_, layout_memory_.data())) {}

  void forward() {
    plan_.forward(queue_, {.sequences = sequences_,
                           .parameters = parameters_.data(),
                           .x = x_.data(),
                           .y = y_.data(),
                           .reserve = reserve_.data(),
                           .workspace = workspace_.data()});
  }
  void backward() {
    workspace_.poison();
    const std::vector<float> y = y_.get<float>();
    plan_.backward(queue_, {.sequences = sequences_,
                            .parameters = parameters_.data(),
                            .x = x_.data(),
                            .y = y_.data(),
                            .dy = dy_.data(),
                            .dx = dx_.data(),
                            .d_parameters = d_parameters_.data(),
                            .reserve = reserve_.data(),
                            .workspace = workspace_.data()});
    EXPECT_TRUE(same_bits(y_.get<float>(), y)) << "y was changed";
    EXPECT_TRUE(workspace_.guards_intact() && reserve_.guards_intact());
  }
  std::vector<float> gradients() const {
    std::vector<float> all = dx_.get<float>(), others = d_parameters_.get<float>();
    all.insert(all.end(), others.begin(), others.end());
    return all;
  }

 private:
  static std::size_t count_of_parameters(const RecurrentConfig& config) {
    return static_cast<std::size_t>(parameter_count(recurrent_parameters(config)));
  }

  const RecurrentPlan& plan_;
  const Queue& queue_;
  GuardedBuffer parameters_, x_, dy_, y_, dx_, d_parameters_, reserve_, workspace_, layout_memory_;
  Sequences sequences_;
};

// The first one's backward pass changes the algorithm while the second one's reserve is of the old
// one.
TEST(CudnnFailures, InOnePassLeaveTheReserveOfAnotherReadable) {
  const RecurrentConfig config = layers(Cell::lstm);
  const TestDevice device(DeviceKind::cuda);
  const RecurrentPlan standard(config, DeviceKind::cuda, Algorithm::cudnn_standard);
  const RecurrentPlan best(config, DeviceKind::cuda, Algorithm::cudnn);
  std::vector<std::vector<float>> expected;
  for (const std::uint32_t seed : {10u, 20u}) {
    SharedPlanPass pass(standard, device, seed);
    pass.forward();
    pass.backward();
    expected.push_back(pass.gradients());
  }
  SharedPlanPass first(best, device, 10), second(best, device, 20);
  first.forward();
  second.forward();
  const Failing failing("cudnnRNNBackwardData_v8=3000");
  first.backward();
  second.backward();
  expect_close("first", first.gradients(), expected[0]);
  expect_close("second", second.gradients(), expected[1]);
}

/// What the error of `run` says.
template <class Run>
std::string error_of(Error::Kind kind, const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

void expect_words(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    EXPECT_NE(text.find(word), std::string::npos) << word << " in: " << text;
}

TEST(CudnnFailures, ThatBreakTheContextAreErrorsThatSayHowToGoOn) {
  for (const Algorithm algorithm : {Algorithm::cudnn, Algorithm::cudnn_standard}) {
    for (const std::string function : functions) {
      SCOPED_TRACE(std::string(name_of(algorithm)) + " " + function);
      const TestDevice device(DeviceKind::cuda);
      const RecurrentPlan plan(layers(Cell::gru), DeviceKind::cuda, algorithm);
      SharedPlanPass pass(plan, device, 10);
      const bool in_forward = function == functions[0];
      if (!in_forward) pass.forward();
      const Failing failing(function + "=5003*");
      breaks_the_context = true;
      const std::string text =
          error_of(Error::Kind::runtime, [&] { in_forward ? pass.forward() : pass.backward(); });
      breaks_the_context = false;
      cuda_on_cpu::break_context(cudaSuccess);
      expect_words(
          text, {function, "CUDNN_STATUS_EXECUTION_FAILED", "hidden 6", "cudaErrorIllegalAddress",
                 "broke the device's context: end this process"});
    }
  }
}

TEST(CudnnFailures, ThatTheStandardAlgorithmSharesAreErrorsInCudnnsWords) {
  const TestDevice device(DeviceKind::cuda);
  for (const std::string function : functions) {
    for (const bool refusal : {true, false}) {
      const RecurrentPlan plan(layers(Cell::lstm), DeviceKind::cuda, Algorithm::cudnn);
      SharedPlanPass pass(plan, device, 10);
      const bool in_forward = function == functions[0];
      if (!in_forward) pass.forward();
      const Failing failing(function + (refusal ? "=3000*" : "=5000*"));
      const std::string text = error_of(refusal ? Error::Kind::usage : Error::Kind::runtime,
                                        [&] { in_forward ? pass.forward() : pass.backward(); });
      expect_words(text,
                   {function, "by its algorithm standard", "the test asks for it",
                    refusal ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_EXECUTION_FAILED"});
    }
  }
}

TEST(CudnnFailures, OfAnAlgorithmThatWasAskedForAreErrors) {
  const TestDevice device(DeviceKind::cuda);
  const RecurrentPlan plan(layers(Cell::lstm), DeviceKind::cuda,
                           Algorithm::cudnn_persist_static_small_h);
  SharedPlanPass pass(plan, device, 10);
  pass.forward();
  const Failing failing("cudnnRNNBackwardWeights_v8=5000");
  expect_words(error_of(Error::Kind::runtime, [&] { pass.backward(); }),
               {"cudnnRNNBackwardWeights_v8 by its algorithm persist_static_small_h",
                "CUDNN_STATUS_EXECUTION_FAILED"});
}

// A recording that holds a part of a call that failed would run it again and again.
TEST(CudnnFailures, InARecordingDropItAndTheNextPassIsSound) {
  const TestDevice device(DeviceKind::cuda);
  const RecurrentPlan plan(layers(Cell::lstm), DeviceKind::cuda, Algorithm::cudnn);
  SharedPlanPass pass(plan, device, 10);
  plan.workspace_bytes(shape);
  begin_recording(device.queue());
  {
    const Failing failing("cudnnRNNForward=5000");
    expect_words(error_of(Error::Kind::runtime, [&] { pass.forward(); }),
                 {"cudnnRNNForward", "drop it and record again"});
  }
  drop_recording(device.queue());
  pass.forward();
  pass.backward();
  expect_words(plan.explain(shape), {"its algorithm standard (not persist_static_small_h"});
}

}  // namespace
}  // namespace sluice::test
