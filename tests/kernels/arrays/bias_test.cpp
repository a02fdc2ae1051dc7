#include "kernels/arrays/bias.h"

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class Bias : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Bias);

template <class T>
void check_add(const Queue& queue, std::int64_t rows, std::int64_t columns, std::int64_t ld) {
  auto x = random_numbers<T>(rows * ld);
  const auto bias = random_numbers<T>(columns, 2);
  const GuardedBuffer x_memory(queue, x), bias_memory(queue, bias);
  add_bias(queue, {.type = type_of<T>,
                   .rows = rows,
                   .columns = columns,
                   .x = x_memory.data(),
                   .ld = ld,
                   .bias = bias_memory.data()});
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) x[i * ld + j] += bias[j];
  }
  EXPECT_EQ(x_memory.get<T>(), x) << rows << " x " << columns;
  EXPECT_TRUE(x_memory.guards_intact());
}

TEST_P(Bias, IsAddedToEveryRow) {
  check_add<float>(queue(), 1, 1, 1);
  check_add<float>(queue(), 65, 34, 36);
  check_add<double>(queue(), 300, 130, 130);
  EXPECT_NO_THROW(add_bias(queue(), {.rows = 0, .columns = 2, .ld = 2}));
}

template <class T>
std::vector<T> sum_columns(const Queue& queue, const std::vector<T>& x, std::int64_t rows,
                           std::int64_t columns, std::int64_t ld) {
  const std::size_t bytes = column_sum_workspace_bytes(type_of<T>, rows, columns);
  const GuardedBuffer x_memory(queue, x), out(queue, columns * sizeof(T)), workspace(queue, bytes);
  column_sum(queue, {.type = type_of<T>,
                     .rows = rows,
                     .columns = columns,
                     .x = x_memory.data(),
                     .ld = ld,
                     .out = out.data(),
                     .workspace = workspace.data(),
                     .workspace_bytes = bytes});
  EXPECT_TRUE(out.guards_intact() && workspace.guards_intact());
  return out.get<T>();
}

template <class T>
void check_sum(const Queue& queue, std::int64_t rows, std::int64_t columns, std::int64_t ld) {
  SCOPED_TRACE(testing::Message() << rows << " x " << columns);
  const auto x = random_numbers<T>(rows * ld);
  std::vector<double> expected(columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) expected[j] += static_cast<double>(x[i * ld + j]);
  }
  expect_near(sum_columns(queue, x, rows, columns, ld), expected,
              tolerance<T> * (1.0 + std::sqrt(static_cast<double>(rows))));
}

TEST_P(Bias, ColumnSumAddsUpTheRows) {
  for (const std::int64_t rows : {0, 1, 2, 127, 128, 129, 1000}) {
    for (const std::int64_t columns : {1, 17, 128, 600}) {
      check_sum<float>(queue(), rows, columns, columns + 3);
      check_sum<double>(queue(), rows, columns, columns);
    }
  }
}

TEST_P(Bias, ColumnSumOfManyRowsIsAccurate) {
  const std::vector<float> x(25600, 0.1f);
  EXPECT_NEAR(sum_columns(queue(), x, 25600, 1, 1)[0], 2560.0, 1e-2);
}

TEST(BiasThreads, DoNotChangeTheBits) {
  const auto x = random_numbers<float>(5000 * 600);
  expect_same_bits_on_any_threads<float>(
      [&](const Queue& queue) { return sum_columns(queue, x, 5000, 600, 600); });
}

TEST(BiasArguments, AreChecked) {
  float x[4] = {};
  expect_usage_error([&] { add_bias({}, {.rows = 1, .columns = 2, .x = x, .ld = 1, .bias = x}); },
                     "ld");
  expect_usage_error([&] { add_bias({}, {.rows = 1, .columns = 2, .x = x, .ld = 2}); }, "bias");
  expect_usage_error([&] { column_sum({}, {.rows = 1, .columns = 2, .x = x, .ld = 2, .out = x}); },
                     "workspace");
  expect_usage_error([&] { column_sum({}, {.rows = -1}); }, "rows");
}

}  // namespace
}  // namespace sluice::test
