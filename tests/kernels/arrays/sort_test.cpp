#include "kernels/arrays/sort.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class SortByToken : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(SortByToken);

void check(const Queue& queue, const std::vector<std::int32_t>& tokens) {
  const auto count = static_cast<std::int64_t>(tokens.size());
  const std::size_t bytes = sort_by_token_workspace_bytes(queue, count);
  const GuardedBuffer in(queue, tokens), sorted(queue, count * sizeof(std::int32_t)),
      positions(queue, count * sizeof(std::int32_t)), workspace(queue, bytes);
  sort_by_token(queue, {.count = count,
                        .tokens = static_cast<const std::int32_t*>(in.data()),
                        .sorted_tokens = static_cast<std::int32_t*>(sorted.data()),
                        .positions = static_cast<std::int32_t*>(positions.data()),
                        .workspace = workspace.data(),
                        .workspace_bytes = bytes});
  std::vector<std::int32_t> expected(tokens.size());
  std::iota(expected.begin(), expected.end(), 0);
  std::stable_sort(expected.begin(), expected.end(), [&](std::int32_t a, std::int32_t b) {
    return static_cast<std::uint32_t>(tokens[a]) < static_cast<std::uint32_t>(tokens[b]);
  });
  EXPECT_EQ(positions.get<std::int32_t>(), expected) << count << " tokens";
  for (std::int32_t& token : expected) token = tokens[token];
  EXPECT_EQ(sorted.get<std::int32_t>(), expected) << count << " tokens";
  EXPECT_EQ(in.get<std::int32_t>(), tokens);
  EXPECT_TRUE(sorted.guards_intact() && positions.guards_intact() && workspace.guards_intact());
}

TEST_P(SortByToken, KeepsTheOrderOfEqualTokens) {
  for (const std::int64_t count : {1, 2, 3, 31, 32, 33, 100, 255, 256, 257, 1000, 5000, 30000}) {
    check(queue(), random_integers(count, 1));
    check(queue(), random_integers(count, 5));
    check(queue(), random_integers(count, 20000));
  }
}

TEST_P(SortByToken, PutsNegativeTokensLast) {
  auto tokens = random_integers(700, 4000000000u);
  tokens[5] = std::numeric_limits<std::int32_t>::min();
  tokens[6] = std::numeric_limits<std::int32_t>::max();
  tokens[7] = -1;
  check(queue(), tokens);
}

TEST_P(SortByToken, NothingToSort) { EXPECT_NO_THROW(sort_by_token(queue(), {})); }

TEST(SortByTokenArguments, AreChecked) {
  std::int32_t numbers[3] = {};
  expect_usage_error([] { sort_by_token_workspace_bytes({}, -1); }, "count");
  expect_usage_error([] { sort_by_token_workspace_bytes({}, std::int64_t{1} << 31); }, "2^31");
  expect_usage_error([&] { sort_by_token({}, {.count = 3, .tokens = numbers}); }, "sorted_tokens");
  expect_usage_error(
      [&] {
        sort_by_token({}, {.count = 3,
                           .tokens = numbers,
                           .sorted_tokens = numbers,
                           .positions = numbers,
                           .workspace = numbers,
                           .workspace_bytes = 1});
      },
      "workspace");
}

}  // namespace
}  // namespace sluice::test
