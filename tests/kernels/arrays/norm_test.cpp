#include "kernels/arrays/norm.h"

#include <limits>

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class Norm : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Norm);

template <class T>
double sum(const Queue& queue, const std::vector<T>& x, bool accumulate = false) {
  const auto count = static_cast<std::int64_t>(x.size());
  const std::size_t bytes = sum_of_squares_workspace_bytes(count);
  const GuardedBuffer memory(queue, x), out(queue, std::vector<double>{100.0}),
      workspace(queue, bytes);
  sum_of_squares(queue, {.type = type_of<T>,
                         .count = count,
                         .x = memory.data(),
                         .accumulate = accumulate,
                         .out = static_cast<double*>(out.data()),
                         .workspace = workspace.data(),
                         .workspace_bytes = bytes});
  EXPECT_TRUE(out.guards_intact() && workspace.guards_intact());
  return out.get<double>()[0];
}

template <class T>
void check(const Queue& queue, std::int64_t count) {
  const auto x = random_numbers<T>(count);
  long double expected = 0.0L;
  for (const T value : x)
    expected += static_cast<long double>(value) * static_cast<long double>(value);
  const double squares = static_cast<double>(expected);
  EXPECT_NEAR(sum(queue, x), squares, 1e-13 * squares) << count << " numbers";
  EXPECT_NEAR(sum(queue, x, true), 100.0 + squares, 1e-13 * (100.0 + squares));
}

TEST_P(Norm, AddsUpTheSquaresInDouble) {
  for (const std::int64_t count : {0, 1, 31, 32, 33, 255, 1000, 16383, 16384, 16385, 100000}) {
    check<float>(queue(), count);
    check<double>(queue(), count);
  }
}

TEST_P(Norm, DoesNotOverflowInFloat) {
  EXPECT_DOUBLE_EQ(sum(queue(), std::vector<float>(4, 0x1p100f)), 0x1p202);
}

TEST_P(Norm, ShowsNaN) {
  std::vector<float> x(20000, 1.0f);
  x[19999] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(sum(queue(), x)));
}

TEST(NormThreads, DoNotChangeTheBits) {
  const auto x = random_numbers<float>(100001);
  expect_same_bits_on_any_threads<double>(
      [&](const Queue& queue) { return std::vector<double>{sum(queue, x)}; });
}

TEST(NormArguments, AreChecked) {
  double out = 0.0;
  float x = 0.0f;
  expect_usage_error([&] { sum_of_squares({}, {.count = -1, .out = &out}); }, "count");
  expect_usage_error([&] { sum_of_squares({}, {.count = 1, .x = &x}); }, "out");
  expect_usage_error([&] { sum_of_squares({}, {.count = 1, .x = &x, .out = &out}); }, "workspace");
}

}  // namespace
}  // namespace sluice::test
