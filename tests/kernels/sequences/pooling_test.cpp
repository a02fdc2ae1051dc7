#include "kernels/sequences/pooling.h"

#include <limits>

#include "tests/kernels/device_fixture.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

using Lengths = std::vector<std::int32_t>;
const Pooling every_pooling[] = {Pooling::last, Pooling::mean, Pooling::max};

class PoolingTest : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(PoolingTest);

template <class T>
struct Pooled {
  std::vector<T> out;
  std::vector<std::int32_t> argmax;
};

template <class T>
Pooled<T> pool(const Queue& queue, Pooling pooling, const SequencesOnDevice& sequences,
               std::int64_t features, int directions, const std::vector<T>& y) {
  const std::int64_t count = sequences.batch() * features;
  const GuardedBuffer y_memory(queue, y), out(queue, count * sizeof(T)),
      argmax(queue, count * sizeof(std::int32_t));
  pool_forward(queue, {.type = type_of<T>,
                       .pooling = pooling,
                       .sequences = sequences.view(),
                       .features = features,
                       .directions = directions,
                       .y = y_memory.data(),
                       .out = out.data(),
                       .argmax = static_cast<std::int32_t*>(argmax.data())});
  EXPECT_TRUE(out.guards_intact() && argmax.guards_intact());
  return {out.get<T>(), argmax.get<std::int32_t>()};
}

// The definition: one row's features over its own steps.
double reference(Pooling pooling, const std::vector<double>& steps, bool reverse) {
  double sum = 0.0, most = steps[0];
  for (const double x : steps) {
    sum += x;
    most = std::max(most, x);
  }
  switch (pooling) {
    case Pooling::last: return reverse ? steps.front() : steps.back();
    case Pooling::mean: return sum / static_cast<double>(steps.size());
    case Pooling::max: return most;
  }
  return 0.0;
}

template <class T>
void check_forward(const Queue& queue, const Lengths& lengths, std::int64_t features,
                   int directions) {
  const SequencesOnDevice sequences(queue, lengths);
  const auto y = random_numbers<T>(sequences.rows() * features);
  for (const Pooling pooling : every_pooling) {
    std::vector<double> expected;
    for (std::int64_t r = 0; r < sequences.batch(); ++r) {
      for (std::int64_t f = 0; f < features; ++f) {
        std::vector<double> steps;
        for (std::int64_t t = 0; t < sequences.lengths()[r]; ++t) {
          steps.push_back(static_cast<double>(y[sequences.packed_row(r, t) * features + f]));
        }
        expected.push_back(reference(pooling, steps, f >= features / directions));
      }
    }
    expect_near(pool(queue, pooling, sequences, features, directions, y).out, expected,
                tolerance<T>);
  }
}

TEST_P(PoolingTest, ForwardIsAsDefined) {
  check_forward<float>(queue(), {1}, 1, 1);
  check_forward<float>(queue(), {2, 7, 1, 7, 3}, 34, 2);
  check_forward<double>(queue(), {2, 7, 1, 7, 3}, 300, 1);
  check_forward<double>(queue(), {150, 64, 65}, 6, 2);
  check_forward<float>(queue(), Lengths(65, 3), 128, 2);
}

TEST_P(PoolingTest, MaxTakesTheEarliestStepAndNaNWins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const SequencesOnDevice sequences(queue(), {4});
  const auto pooled = pool<float>(queue(), Pooling::max, sequences, 3, 1,
                                  {1, 5, -1, 3, nan, -2, 3, 9, -1, 2, nan, -3});
  EXPECT_EQ(pooled.argmax, (Lengths{1, 1, 0}));
  EXPECT_EQ(pooled.out[0], 3.0f);
  EXPECT_TRUE(std::isnan(pooled.out[1]));
  EXPECT_EQ(pooled.out[2], -1.0f);
}

// sum(weights * pool(y)) is what backward differentiates.
TEST_P(PoolingTest, BackwardIsTheFiniteDifferenceOfForward) {
  const std::int64_t features = 6;
  const SequencesOnDevice sequences(queue(), {2, 5, 1, 5});
  const auto y = random_numbers<double>(sequences.rows() * features);
  const auto weights = random_numbers<double>(sequences.batch() * features, 2);
  for (const int directions : {1, 2}) {
    for (const Pooling pooling : every_pooling) {
      const auto loss = [&](const std::vector<double>& at) {
        const auto out = pool(queue(), pooling, sequences, features, directions, at).out;
        double sum = 0.0;
        for (std::size_t i = 0; i < out.size(); ++i) sum += weights[i] * out[i];
        return sum;
      };
      std::vector<double> expected;
      for (std::size_t i = 0; i < y.size(); ++i) {
        auto above = y, below = y;
        above[i] += 1e-6;
        below[i] -= 1e-6;
        expected.push_back((loss(above) - loss(below)) / 2e-6);
      }
      const auto argmax = pool(queue(), pooling, sequences, features, directions, y).argmax;
      const GuardedBuffer d_out(queue(), weights), argmax_memory(queue(), argmax),
          dy(queue(), y.size() * sizeof(double));
      pool_backward(queue(), {.type = DataType::float64,
                              .pooling = pooling,
                              .sequences = sequences.view(),
                              .features = features,
                              .directions = directions,
                              .d_out = d_out.data(),
                              .argmax = static_cast<const std::int32_t*>(argmax_memory.data()),
                              .dy = dy.data()});
      expect_near(dy.get<double>(), expected, 1e-8);
      EXPECT_TRUE(dy.guards_intact());
    }
  }
}

TEST(PoolingThreads, DoNotChangeTheBits) {
  for (const Pooling pooling : every_pooling) {
    expect_same_bits_on_any_threads<float>([&](const Queue& queue) {
      const SequencesOnDevice sequences(queue, {100, 3, 70});
      return pool(queue, pooling, sequences, 600, 2, random_numbers<float>(sequences.rows() * 600))
          .out;
    });
  }
}

TEST(PoolingArguments, AreChecked) {
  expect_usage_error([] { pool_forward({}, {.features = 3, .directions = 2}); }, "directions");
  expect_usage_error([] { pool_backward({}, {.features = -1}); }, "features");
  const TestDevice cpu(DeviceKind::cpu);
  const SequencesOnDevice sequences(cpu.queue(), {2});
  expect_usage_error([&] { pool_forward({}, {.sequences = sequences.view(), .features = 1}); },
                     "y");
  expect_usage_error(
      [&] {
        pool_backward({}, {.pooling = Pooling::max, .sequences = sequences.view(), .features = 1});
      },
      "argmax");
}

}  // namespace
}  // namespace sluice::test
