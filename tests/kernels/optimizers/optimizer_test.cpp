#include "kernels/optimizers/optimizer.h"

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

using Numbers = std::vector<double>;

const Numbers start = {0.5, -1.25, 2.0, 0.0, -0.03125};
const Numbers gradients[] = {
    {0.1, -0.2, 0.3, -0.4, 0.5}, {-1.0, 0.5, 0.25, 0.0, 2.0}, {0.01, 0.02, -0.03, 4.0, -0.05}};
constexpr float rate = 0.0625f;

class Optimizer : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Optimizer);

/// The parameters above, repeated until they fill `count`, their state, and the step counter.
template <class T>
struct Training {
  Training(const Queue& queue_, std::int64_t count_)
      : queue(queue_),
        count(count_),
        parameters(queue, repeated(start)),
        gradient(queue, count * sizeof(T)),
        state1(queue, std::vector<T>(count)),
        state2(queue, std::vector<T>(count)),
        learning_rate(queue, std::vector<float>{rate}),
        step(queue, std::vector<std::uint32_t>{0}) {}

  std::vector<T> repeated(const Numbers& numbers) const {
    std::vector<T> all(count);
    for (std::int64_t i = 0; i < count; ++i) all[i] = static_cast<T>(numbers[i % numbers.size()]);
    return all;
  }

  // One update for each of the gradients above.
  template <class Update>
  std::vector<T> train(Update&& update) {
    for (const Numbers& numbers : gradients) {
      gradient.put(repeated(numbers));
      update(*this);
      advance_step(queue, {.step = static_cast<std::uint32_t*>(step.data())});
    }
    EXPECT_EQ(step.get<std::uint32_t>()[0], 3u);
    EXPECT_TRUE(parameters.guards_intact() && state1.guards_intact() && state2.guards_intact());
    return parameters.get<T>();
  }

  const float* rate_memory() const { return static_cast<const float*>(learning_rate.data()); }
  const std::uint32_t* step_memory() const {
    return static_cast<const std::uint32_t*>(step.data());
  }

  Queue queue;
  std::int64_t count;
  GuardedBuffer parameters, gradient, state1, state2, learning_rate, step;
};

// Fills in what every optimiser's arguments share.
template <class T, class Args>
Args with_memory(const Training<T>& training, Args args) {
  args.type = type_of<T>;
  args.count = training.count;
  args.parameters = training.parameters.data();
  args.gradients = training.gradient.data();
  args.learning_rate = training.rate_memory();
  return args;
}

template <class T>
std::vector<T> run(const Queue& queue, std::int64_t count, const SgdArgs& settings) {
  return Training<T>(queue, count).train([&](const Training<T>& training) {
    SgdArgs args = with_memory(training, settings);
    args.velocity = settings.momentum > 0.0 ? training.state1.data() : nullptr;
    sgd(training.queue, args);
  });
}

template <class T>
std::vector<T> run(const Queue& queue, std::int64_t count, const RmspropArgs& settings) {
  return Training<T>(queue, count).train([&](const Training<T>& training) {
    RmspropArgs args = with_memory(training, settings);
    args.square_average = training.state1.data();
    args.velocity = settings.momentum > 0.0 ? training.state2.data() : nullptr;
    rmsprop(training.queue, args);
  });
}

template <class T>
std::vector<T> run(const Queue& queue, std::int64_t count, const AdamArgs& settings,
                   void (*update)(const Queue&, const AdamArgs&) = adam) {
  return Training<T>(queue, count).train([&](const Training<T>& training) {
    AdamArgs args = with_memory(training, settings);
    args.average = training.state1.data();
    args.square_average = training.state2.data();
    args.step = training.step_memory();
    update(training.queue, args);
  });
}

// Every expected list is what torch 2.15 gives after the three steps, in float64.
template <class... Settings>
void expect_torch(const Queue& queue, const Numbers& expected, const Settings&... settings) {
  for (const std::int64_t count : {5, 1, 17, 1003, 40000}) {
    Numbers all(count);
    for (std::int64_t i = 0; i < count; ++i) all[i] = expected[i % expected.size()];
    expect_near(run<double>(queue, count, settings...), all, 1e-14);
    expect_near(run<float>(queue, count, settings...), all, 1e-6);
  }
}

TEST_P(Optimizer, Sgd) {
  expect_torch(queue(),
               {0.55562500000000004, -1.27, 1.9675, -0.22500000000000001, -0.18437500000000001},
               SgdArgs{});
  expect_torch(queue(),
               {0.54599572753906245, -1.246669128417969, 1.9305651855468751, -0.22531152343749999,
                -0.18262206268310546},
               SgdArgs{.weight_decay = 0.1});
  expect_torch(queue(),
               {0.60118749999999999, -1.2767500000000001, 1.9213750000000001, -0.18225000000000002,
                -0.35031250000000003},
               SgdArgs{.momentum = 0.9});
  expect_torch(queue(),
               {0.62080186315917973, -1.2319652998657227, 1.7987625256347657, -0.39062736425781242,
                -0.46515283707427985},
               SgdArgs{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1});
}

TEST_P(Optimizer, Rmsprop) {
  expect_torch(queue(),
               {0.49067928754852902, -1.22902744410525, 1.0219534060216477, 0.0030403400740717235,
                -1.2475325257301615},
               RmspropArgs{});
  expect_torch(queue(),
               {0.36910925810787582, -1.0162841072831146, 1.2443750739840003, 0.2635526689473624,
                -0.8449675383491202},
               RmspropArgs{.alpha = 0.9, .epsilon = 1e-3, .momentum = 0.8, .weight_decay = 0.1});
}

TEST_P(Optimizer, Adam) {
  expect_torch(queue(),
               {0.51176731704678402, -1.2379709547664035, 1.8308669839049079, 0.067868515277144603,
                -0.1907689816739937},
               AdamArgs{});
  expect_torch(queue(),
               {0.50743002712004359, -1.1991187264475083, 1.8210166785026289, 0.061114313389878924,
                -0.19021226773821848},
               AdamArgs{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.1});
}

TEST_P(Optimizer, Adamw) {
  expect_torch(queue(),
               {0.5108821828467085, -1.2356894958537221, 1.8272361454389723, 0.067764240543533028,
                -0.19059777799665634},
               AdamArgs{.weight_decay = 0.01}, adamw);
  expect_torch(queue(),
               {0.49649825275857906, -1.1972440147377199, 1.7624292877978192, 0.05990803267796619,
                -0.18715244964110561},
               AdamArgs{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.2}, adamw);
}

TEST_P(Optimizer, NothingToUpdate) {
  EXPECT_NO_THROW(sgd(queue(), {}));
  EXPECT_NO_THROW(rmsprop(queue(), {}));
  EXPECT_NO_THROW(adam(queue(), {}));
}

TEST(OptimizerThreads, DoNotChangeTheBits) {
  expect_same_bits_on_any_threads<float>(
      [](const Queue& queue) { return run<float>(queue, 100001, AdamArgs{.weight_decay = 0.1}); });
  expect_same_bits_on_any_threads<float>(
      [](const Queue& queue) { return run<float>(queue, 100001, RmspropArgs{.momentum = 0.5}); });
  expect_same_bits_on_any_threads<float>(
      [](const Queue& queue) { return run<float>(queue, 100001, SgdArgs{.momentum = 0.5}); });
}

TEST(OptimizerArguments, AreChecked) {
  float x[2] = {};
  const SgdArgs good = {.count = 2, .parameters = x, .gradients = x, .learning_rate = x};
  auto bad = good;
  bad.momentum = 1.0;
  expect_usage_error([&] { sgd({}, bad); }, "momentum");
  bad = good;
  bad.nesterov = true;
  expect_usage_error([&] { sgd({}, bad); }, "nesterov");
  bad = good;
  bad.momentum = 0.9;
  expect_usage_error([&] { sgd({}, bad); }, "velocity");
  bad = good;
  bad.weight_decay = -1.0;
  expect_usage_error([&] { sgd({}, bad); }, "weight_decay");
  bad = good;
  bad.learning_rate = nullptr;
  expect_usage_error([&] { sgd({}, bad); }, "learning_rate");
  expect_usage_error([] { rmsprop({}, {.alpha = 1.5}); }, "alpha");
  expect_usage_error([] { adam({}, {.beta1 = 1.0}); }, "beta1");
  expect_usage_error([] { adamw({}, {.beta2 = std::nan("")}); }, "beta2");
  expect_usage_error([] { adam({}, {.epsilon = -1e-8}); }, "epsilon");
  expect_usage_error([] { adam({}, {.count = -1}); }, "count");
  expect_usage_error(
      [&] {
        adam({}, {.count = 2,
                  .parameters = x,
                  .gradients = x,
                  .average = x,
                  .square_average = x,
                  .learning_rate = x});
      },
      "step");
  expect_usage_error([] { advance_step({}, {}); }, "step");
}

}  // namespace
}  // namespace sluice::test
