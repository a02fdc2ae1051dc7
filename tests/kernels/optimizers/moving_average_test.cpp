#include "kernels/optimizers/moving_average.h"

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class MovingAverage : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(MovingAverage);

// Parameters of step t at place i; nothing that a wrong index or step would also give.
double parameter(std::int64_t i, std::uint32_t t) {
  return std::sin(static_cast<double>(i + 1)) + 0.25 * t;
}

template <class T>
void check_average(const Queue& queue, std::int64_t count, double decay, double tolerance) {
  GuardedBuffer average(queue, std::vector<T>(count)), parameters(queue, count * sizeof(T));
  GuardedBuffer step(queue, std::vector<std::uint32_t>{0});
  std::vector<double> expected(count, 0.0);
  for (std::uint32_t t = 0; t < 5; ++t) {
    std::vector<T> values(count);
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(parameter(i, t));
    parameters.put(values);
    step.put(std::vector<std::uint32_t>{t});
    MovingAverageArgs args;
    args.type = type_of<T>;
    args.count = count;
    args.average = average.data();
    args.parameters = parameters.data();
    args.step = static_cast<const std::uint32_t*>(step.data());
    args.decay = decay;
    update_moving_average(queue, args);

    const double kept = std::min(decay, t / (t + 9.0));
    for (std::int64_t i = 0; i < count; ++i) {
      expected[i] = kept * expected[i] + (1.0 - kept) * parameter(i, t);
    }
    const std::vector<T> got = average.get<T>();
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_NEAR(static_cast<double>(got[i]), expected[i], tolerance)
          << "step " << t << " at " << i;
    }
    EXPECT_EQ(parameters.get<T>(), values);
  }
  EXPECT_TRUE(average.guards_intact());
}

TEST_P(MovingAverage, RisesFromTheFirstParametersToItsDecay) {
  for (const std::int64_t count : {1, 7, 16384 + 5}) {
    check_average<float>(queue(), count, 0.999, 1e-6);
    check_average<float>(queue(), count, 0.2, 1e-6);
    check_average<double>(queue(), count, 0.999, 1e-14);
  }
}

TEST_P(MovingAverage, RefusesBadArguments) {
  MovingAverageArgs args;
  update_moving_average(queue(), args);  // nothing to do
  const auto update = [&] { update_moving_average(queue(), args); };
  args.count = 1;
  expect_usage_error(update, "average");
  args.count = -1;
  expect_usage_error(update, "count");
  args.count = 0;
  args.decay = 1.0;
  expect_usage_error(update, "decay");
}

}  // namespace
}  // namespace sluice::test
