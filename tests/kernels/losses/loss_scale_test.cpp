#include "kernels/losses/loss_scale.h"

#include <limits>

#include "kernels/losses/loss.h"
#include "kernels/optimizers/optimizer.h"
#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class LossScaling : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(LossScaling);

constexpr float infinity = std::numeric_limits<float>::infinity();

LossScale* state_in(const GuardedBuffer& memory) { return static_cast<LossScale*>(memory.data()); }

TEST_P(LossScaling, BeginsAtTwoToTheSixteenthAndFollowsTheWrittenOutSequence) {
  const GuardedBuffer state(queue(), std::vector<LossScale>(1));
  struct Step {
    float worst;  // one of the gradients
    float scale;  // after the step
    std::uint32_t clean, skipped;
  };
  const Step steps[] = {
      {1.0f, 65536.0f, 1, 0},      {2.0f, 131072.0f, 0, 0},          // two clean ones: doubled
      {infinity, 65536.0f, 0, 1},                                    // Inf: halved
      {1.0f, 65536.0f, 1, 1},      {std::nanf(""), 32768.0f, 0, 2},  // NaN: the count begins anew
      {-infinity, 16384.0f, 0, 3}, {0.0f, 16384.0f, 1, 3},          {3e38f, 32768.0f, 0, 3}};
  for (const Step& step : steps) {
    const float before = state.get<LossScale>()[0].scale;
    std::vector<float> gradients = random_numbers<float>(70000);  // more than one piece of work
    gradients[69999] = step.worst;
    const GuardedBuffer memory(queue(), gradients);
    unscale_gradients(queue(), {.count = 70000,
                                .gradients = static_cast<float*>(memory.data()),
                                .state = state_in(state)});
    EXPECT_EQ(state.get<LossScale>()[0].skip, std::isfinite(step.worst) ? 0u : 1u);
    const auto unscaled = memory.get<float>();
    for (std::size_t i = 0; i < 69999; ++i) ASSERT_EQ(unscaled[i], gradients[i] / before);
    EXPECT_EQ(unscaled[69999], std::isfinite(step.worst) ? step.worst / before : 0.0f);
    update_loss_scale(queue(), {.state = state_in(state), .growth_steps = 2});
    const LossScale now = state.get<LossScale>()[0];
    EXPECT_EQ(now.scale, step.scale);
    EXPECT_EQ(now.clean_steps, step.clean);
    EXPECT_EQ(now.skipped_steps, step.skipped);
    EXPECT_EQ(now.skip, 0u);
    EXPECT_TRUE(memory.guards_intact() && state.guards_intact());
  }
}

TEST_P(LossScaling, DoublesAfterTwoThousandCleanSteps) {
  const GuardedBuffer state(queue(), std::vector<LossScale>(1));
  for (int step = 0; step < 1999; ++step) update_loss_scale(queue(), {.state = state_in(state)});
  EXPECT_EQ(state.get<LossScale>()[0].scale, 65536.0f);
  update_loss_scale(queue(), {.state = state_in(state)});
  EXPECT_EQ(state.get<LossScale>()[0].scale, 131072.0f);
}

TEST_P(LossScaling, NeverGrowsPastFloat32) {
  const GuardedBuffer state(queue(), std::vector<LossScale>{{.scale = 0x1p127f}});
  update_loss_scale(queue(), {.state = state_in(state), .growth_steps = 1});
  EXPECT_EQ(state.get<LossScale>()[0].scale, 0x1p127f);
}

TEST_P(LossScaling, MultipliesTheLosssGradientAlone) {
  const GuardedBuffer state(queue(), std::vector<LossScale>{{.scale = 1024.0f}});
  const GuardedBuffer logits(queue(), std::vector<float>{0.5f, -1.0f, 2.0f, 0.25f}),
      labels(queue(), std::vector<std::int32_t>{1, 0, 0, 1}),
      workspace(queue(), cross_entropy_workspace_bytes(4));
  for (const int classes : {1, 2}) {
    std::vector<float> gradients[2];
    std::vector<double> totals[2];
    for (const bool scaled : {false, true}) {
      const GuardedBuffer gradient(queue(), 4 * sizeof(float)),
          sums(queue(), std::vector<double>(3));
      const auto fill = [&](auto args) {
        args.rows = 4 / classes;
        args.logits = logits.data();
        args.labels = static_cast<const std::int32_t*>(labels.data());
        args.loss_scale = scaled ? state_in(state) : nullptr;
        args.d_logits = gradient.data();
        args.totals = static_cast<double*>(sums.data());
        args.workspace = workspace.data();
        args.workspace_bytes = workspace.bytes();
        return args;
      };
      if (classes == 1) {
        sigmoid_cross_entropy(queue(), fill(SigmoidCrossEntropyArgs()));
      } else {
        softmax_cross_entropy(queue(), fill(SoftmaxCrossEntropyArgs{.classes = 2}));
      }
      gradients[scaled] = gradient.get<float>();
      totals[scaled] = sums.get<double>();
    }
    EXPECT_EQ(totals[0], totals[1]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(gradients[1][i], 1024.0f * gradients[0][i]) << i;
  }
}

/// Parameters, state arrays and gradients of one number each, updated by `update`.
template <class Args, class Update>
std::vector<float> updated(const Queue& queue, const LossScale& loss_scale, Args args,
                           void* Args::*state1, void* Args::*state2, Update update) {
  const GuardedBuffer state(queue, std::vector<LossScale>{loss_scale});
  const GuardedBuffer parameter(queue, std::vector<float>{1.0f}),
      gradient(queue, std::vector<float>{0.5f}), first(queue, std::vector<float>{0.25f}),
      second(queue, std::vector<float>{0.125f}), rate(queue, std::vector<float>{0.1f});
  args.count = 1;
  args.parameters = parameter.data();
  args.gradients = gradient.data();
  args.*state1 = first.data();
  args.*state2 = second.data();
  args.learning_rate = static_cast<const float*>(rate.data());
  args.loss_scale = state_in(state);
  update(queue, args);
  return {parameter.get<float>()[0], first.get<float>()[0], second.get<float>()[0]};
}

TEST_P(LossScaling, ASkippedStepChangesNeitherWeightsNorTheOptimisersState) {
  const std::vector<float> unchanged = {1.0f, 0.25f, 0.125f};
  const GuardedBuffer step(queue(), std::vector<std::uint32_t>{3});
  const auto* steps = static_cast<const std::uint32_t*>(step.data());
  for (const bool skip : {true, false}) {
    const LossScale state{.skip = skip ? 1u : 0u};
    const auto with_adam = updated(queue(), state, AdamArgs{.step = steps}, &AdamArgs::average,
                                   &AdamArgs::square_average, adam);
    EXPECT_EQ(with_adam == unchanged, skip);
    const auto with_rmsprop =
        updated(queue(), state, RmspropArgs{.momentum = 0.9}, &RmspropArgs::square_average,
                &RmspropArgs::velocity, rmsprop);
    EXPECT_EQ(with_rmsprop == unchanged, skip);
    const auto with_sgd = updated(queue(), state, SgdArgs{.momentum = 0.9}, &SgdArgs::velocity,
                                  &SgdArgs::velocity, sgd);
    EXPECT_EQ(with_sgd[0] == 1.0f, skip);
  }
}

TEST_P(LossScaling, AdamDoesNotCountSkippedSteps) {
  const GuardedBuffer steps(queue(), std::vector<std::uint32_t>{7, 2});
  const auto* step = static_cast<const std::uint32_t*>(steps.data());
  const auto adam_after = [&](const std::uint32_t* taken, std::uint32_t skipped) {
    return updated(queue(), {.skipped_steps = skipped}, AdamArgs{.step = taken}, &AdamArgs::average,
                   &AdamArgs::square_average, adam);
  };
  EXPECT_EQ(adam_after(step, 5), adam_after(step + 1, 0));
  EXPECT_NE(adam_after(step, 0), adam_after(step + 1, 0));
}

TEST(LossScalingArguments, AreChecked) {
  LossScale state;
  expect_usage_error([&] { unscale_gradients({}, {.count = 1, .state = &state}); }, "gradients");
  expect_usage_error([&] { unscale_gradients({}, {.count = -1}); }, "count");
  expect_usage_error([] { update_loss_scale({}, {}); }, "state");
}

TEST(WideTypesAlone, AreTakenByWhatWorksOnWeights) {
  float x[1] = {};
  expect_usage_error([&] { sgd({}, {.type = DataType::bfloat16, .count = 1, .parameters = x}); },
                     "bfloat16");
  expect_usage_error([&] { sigmoid_cross_entropy({}, {.type = DataType::float16, .rows = 1}); },
                     "float16");
}

}  // namespace
}  // namespace sluice::test
