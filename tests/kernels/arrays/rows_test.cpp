#include "kernels/arrays/rows.h"

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

struct Shape {
  std::int64_t rows, columns, ld_source, ld_to;
};
const Shape shapes[] = {{1, 1, 1, 1}, {3, 17, 20, 19}, {65, 34, 34, 40}, {300, 128, 130, 128}};

class Rows : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Rows);

// Rows in reverse, every seventh missing.
std::vector<std::int32_t> index_of(std::int64_t rows) {
  std::vector<std::int32_t> index(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    index[i] = i % 7 == 3 ? -1 : static_cast<std::int32_t>(rows - 1 - i);
  }
  return index;
}

template <class T>
void check_gather(const Queue& queue, const Shape& s) {
  const auto source = random_numbers<T>(s.rows * s.ld_source);
  const auto index = index_of(s.rows);
  auto expected = random_numbers<T>(s.rows * s.ld_to, 2);
  const GuardedBuffer from(queue, source), indices(queue, index), to(queue, expected);
  gather_rows(queue, {.type = type_of<T>,
                      .rows = s.rows,
                      .columns = s.columns,
                      .source = from.data(),
                      .ld_source = s.ld_source,
                      .index = static_cast<const std::int32_t*>(indices.data()),
                      .to = to.data(),
                      .ld_to = s.ld_to});
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.columns; ++j) {
      expected[i * s.ld_to + j] = index[i] < 0 ? T(0) : source[index[i] * s.ld_source + j];
    }
  }
  EXPECT_EQ(to.get<T>(), expected) << s.rows << " x " << s.columns;
  EXPECT_TRUE(to.guards_intact());
}

TEST_P(Rows, GatherTakesRowsByIndex) {
  for (const Shape& shape : shapes) {
    check_gather<float>(queue(), shape);
    check_gather<double>(queue(), shape);
  }
}

template <class T>
void check_scatter(const Queue& queue, const Shape& s) {
  const auto source = random_numbers<T>(s.rows * s.ld_source);
  const auto index = index_of(s.rows);
  auto expected = random_numbers<T>(s.rows * s.ld_to, 2);
  const GuardedBuffer from(queue, source), indices(queue, index), to(queue, expected);
  scatter_rows(queue, {.type = type_of<T>,
                       .rows = s.rows,
                       .columns = s.columns,
                       .source = from.data(),
                       .ld_source = s.ld_source,
                       .index = static_cast<const std::int32_t*>(indices.data()),
                       .to = to.data(),
                       .ld_to = s.ld_to});
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; index[i] >= 0 && j < s.columns; ++j) {
      expected[index[i] * s.ld_to + j] = source[i * s.ld_source + j];
    }
  }
  EXPECT_EQ(to.get<T>(), expected) << s.rows << " x " << s.columns;
  EXPECT_TRUE(to.guards_intact());
}

TEST_P(Rows, ScatterPutsRowsByIndexAndLeavesTheOthers) {
  for (const Shape& shape : shapes) {
    check_scatter<float>(queue(), shape);
    check_scatter<double>(queue(), shape);
  }
}

TEST_P(Rows, NothingToDoNeedsNoMemory) {
  EXPECT_NO_THROW(gather_rows(queue(), {.rows = 0, .columns = 3, .ld_source = 3, .ld_to = 3}));
  EXPECT_NO_THROW(scatter_rows(queue(), {.rows = 3, .columns = 0}));
}

TEST(RowsArguments, AreChecked) {
  float x[4] = {};
  const std::int32_t index[2] = {0, 1};
  const GatherRowsArgs good = {
      .rows = 2, .columns = 2, .source = x, .ld_source = 2, .index = index, .to = x, .ld_to = 2};
  auto bad = good;
  bad.rows = -1;
  expect_usage_error([&] { gather_rows({}, bad); }, "rows");
  bad = good;
  bad.ld_to = 1;
  expect_usage_error([&] { gather_rows({}, bad); }, "ld_to");
  bad = good;
  bad.index = nullptr;
  expect_usage_error([&] { gather_rows({}, bad); }, "index");
  expect_usage_error(
      [&] { scatter_rows({}, {.rows = 2, .columns = 2, .ld_source = 1, .ld_to = 2}); },
      "ld_source");
}

}  // namespace
}  // namespace sluice::test
