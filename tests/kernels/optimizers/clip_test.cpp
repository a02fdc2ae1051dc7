#include "kernels/optimizers/clip.h"

#include <limits>

#include "kernels/arrays/norm.h"
#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

class Clip : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Clip);

TEST_P(Clip, ByValueBoundsEachNumber) {
  const GuardedBuffer x(queue(), std::vector<float>{-3, -0.5, 0, 0.25, 2});
  clip_by_value(queue(), {.count = 5, .x = x.data(), .limit = 0.5});
  EXPECT_EQ(x.get<float>(), (std::vector<float>{-0.5, -0.5, 0, 0.25, 0.5}));
  EXPECT_TRUE(x.guards_intact());
  const GuardedBuffer y(queue(), std::vector<double>{nan, 7});
  clip_by_value(queue(), {.type = DataType::float64, .count = 2, .x = y.data(), .limit = 1});
  EXPECT_TRUE(std::isnan(y.get<double>()[0]));
  EXPECT_EQ(y.get<double>()[1], 1.0);
}

template <class T>
std::vector<T> by_global_norm(const Queue& queue, const std::vector<T>& x, double squared_sum,
                              double limit) {
  const GuardedBuffer memory(queue, x), sum(queue, std::vector<double>{squared_sum});
  clip_by_global_norm(queue, {.type = type_of<T>,
                              .count = static_cast<std::int64_t>(x.size()),
                              .x = memory.data(),
                              .squared_sum = static_cast<const double*>(sum.data()),
                              .limit = limit});
  EXPECT_TRUE(memory.guards_intact());
  return memory.get<T>();
}

TEST_P(Clip, ByGlobalNormScalesAsPyTorch) {
  const auto x = random_numbers<double>(20000);
  std::vector<double> expected = x;
  for (double& value : expected) value *= 2.0 / (5.0 + 1e-6);
  expect_near(by_global_norm(queue(), x, 25.0, 2.0), expected, 1e-15);
  const auto y = random_numbers<float>(300);
  EXPECT_EQ(by_global_norm(queue(), y, 25.0, 6.0), y) << "a norm below the limit changes nothing";
  EXPECT_EQ(by_global_norm(queue(), y, 0.0, 6.0), y);
}

TEST_P(Clip, ByGlobalNormPassesNaNOn) {
  EXPECT_TRUE(std::isnan(by_global_norm<float>(queue(), {1, 2}, nan, 1.0)[0]));
}

template <class T>
std::vector<T> by_norm(const Queue& queue, const std::vector<T>& x, double limit) {
  const auto count = static_cast<std::int64_t>(x.size());
  const std::size_t bytes = sum_of_squares_workspace_bytes(count);
  const GuardedBuffer memory(queue, x), sum(queue, sizeof(double)), workspace(queue, bytes);
  clip_by_norm(queue, {.type = type_of<T>,
                       .count = count,
                       .x = memory.data(),
                       .limit = limit,
                       .squared_sum = static_cast<double*>(sum.data()),
                       .workspace = workspace.data(),
                       .workspace_bytes = bytes});
  EXPECT_TRUE(memory.guards_intact() && workspace.guards_intact());
  return memory.get<T>();
}

TEST_P(Clip, ByNormMakesTheNormTheLimit) {
  expect_near(by_norm<float>(queue(), {3, 4}, 1.0), {0.6, 0.8}, 1e-7);
  EXPECT_EQ(by_norm<double>(queue(), {3, 4}, 5.0), (std::vector<double>{3, 4}));
  EXPECT_EQ(by_norm<float>(queue(), {0, 0}, 1.0), (std::vector<float>{0, 0}));
}

TEST(ClipThreads, DoNotChangeTheBits) {
  const auto x = random_numbers<float>(50000);
  expect_same_bits_on_any_threads<float>(
      [&](const Queue& queue) { return by_norm(queue, x, 0.3); });
}

TEST(ClipArguments, AreChecked) {
  float x = 0.0f;
  for (const double limit : {0.0, -1.0, nan}) {
    expect_usage_error([&] { clip_by_value({}, {.count = 1, .x = &x, .limit = limit}); }, "limit");
    expect_usage_error([&] { clip_by_global_norm({}, {.count = 1, .x = &x, .limit = limit}); },
                       "limit");
    expect_usage_error([&] { clip_by_norm({}, {.count = 1, .x = &x, .limit = limit}); }, "limit");
  }
  EXPECT_NO_THROW(clip_by_value({}, {.count = 0, .limit = 1}));
  expect_usage_error([&] { clip_by_value({}, {.count = -1, .limit = 1}); }, "count");
  expect_usage_error([&] { clip_by_global_norm({}, {.count = 1, .x = &x, .limit = 1}); },
                     "squared_sum");
}

}  // namespace
}  // namespace sluice::test
