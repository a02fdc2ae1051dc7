#include "kernels/sequences/embedding.h"

#include <algorithm>

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

using Tokens = std::vector<std::int32_t>;

class Embedding : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Embedding);

const std::int32_t* integers(const GuardedBuffer& buffer) {
  return static_cast<const std::int32_t*>(buffer.data());
}

template <class T>
void check_forward(const Queue& queue, std::int64_t rows, std::int64_t size,
                   std::int64_t vocabulary) {
  const auto table = random_numbers<T>(vocabulary * size);
  Tokens tokens = random_integers(rows, static_cast<std::uint32_t>(vocabulary), 2);
  if (rows > 2) {
    tokens[0] = -1;
    tokens[2] = static_cast<std::int32_t>(vocabulary);
  }
  const GuardedBuffer table_memory(queue, table), token_memory(queue, tokens),
      out(queue, rows * size * sizeof(T));
  embedding_forward(queue, {.type = type_of<T>,
                            .rows = rows,
                            .embedding_size = size,
                            .vocabulary = vocabulary,
                            .table = table_memory.data(),
                            .tokens = integers(token_memory),
                            .out = out.data()});
  std::vector<T> expected;
  for (const std::int32_t token : tokens) {
    for (std::int64_t e = 0; e < size; ++e) {
      expected.push_back(token < 0 || token >= vocabulary ? T(0) : table[token * size + e]);
    }
  }
  EXPECT_EQ(out.get<T>(), expected);
  EXPECT_TRUE(out.guards_intact());
}

TEST_P(Embedding, ForwardTakesRowsOfTheTable) {
  for (const std::int64_t size : {1, 3, 128, 130}) {
    for (const std::int64_t rows : {1, 7, 300}) {
      check_forward<float>(queue(), rows, size, 11);
      check_forward<double>(queue(), rows, size, 11);
    }
  }
}

template <class T>
std::vector<T> backward(const Queue& queue, const Tokens& tokens, std::int64_t size,
                        std::int64_t vocabulary, std::int64_t padding_index,
                        const std::vector<T>& d_out) {
  const auto rows = static_cast<std::int64_t>(tokens.size());
  const std::size_t bytes = embedding_backward_workspace_bytes(queue, type_of<T>, rows, size);
  const GuardedBuffer token_memory(queue, tokens), d_out_memory(queue, d_out),
      d_table(queue, vocabulary * size * sizeof(T)), workspace(queue, bytes);
  embedding_backward(queue, {.type = type_of<T>,
                             .rows = rows,
                             .embedding_size = size,
                             .vocabulary = vocabulary,
                             .padding_index = padding_index,
                             .d_out = d_out_memory.data(),
                             .tokens = integers(token_memory),
                             .d_table = d_table.data(),
                             .workspace = workspace.data(),
                             .workspace_bytes = bytes});
  EXPECT_TRUE(d_table.guards_intact() && workspace.guards_intact());
  EXPECT_EQ(token_memory.get<std::int32_t>(), tokens);
  return d_table.get<T>();
}

template <class T>
void check_backward(const Queue& queue, const Tokens& tokens, std::int64_t size,
                    std::int64_t vocabulary, std::int64_t padding_index = -1) {
  SCOPED_TRACE(testing::Message() << tokens.size() << " tokens, E " << size << ", V "
                                  << vocabulary);
  const auto d_out = random_numbers<T>(tokens.size() * size, 3);
  std::vector<double> expected(vocabulary * size);
  for (std::size_t n = 0; n < tokens.size(); ++n) {
    if (tokens[n] < 0 || tokens[n] >= vocabulary || tokens[n] == padding_index) continue;
    for (std::int64_t e = 0; e < size; ++e) {
      expected[tokens[n] * size + e] += static_cast<double>(d_out[n * size + e]);
    }
  }
  const auto actual = backward(queue, tokens, size, vocabulary, padding_index, d_out);
  expect_near(actual, expected, tolerance<T> * (1.0 + std::sqrt(double(tokens.size()))));
}

TEST_P(Embedding, BackwardAddsUpTheRowsOfEachToken) {
  for (const std::int64_t rows : {0, 1, 2, 63, 64, 65, 128, 129, 1000}) {
    for (const std::uint32_t vocabulary : {1u, 3u, 50u, 1000u}) {
      const Tokens tokens = random_integers(rows, vocabulary, 5);
      check_backward<float>(queue(), tokens, 5, vocabulary);
      check_backward<double>(queue(), tokens, 5, vocabulary);
    }
  }
  for (const std::int64_t size : {1, 33, 128, 300}) {
    check_backward<float>(queue(), random_integers(500, 20), size, 20);
  }
}

TEST_P(Embedding, BackwardOfRunsThatCrossManyChunks) {
  Tokens tokens(2000, 4);
  check_backward<float>(queue(), tokens, 16, 9);
  for (std::size_t n = 0; n < tokens.size(); ++n)
    tokens[n] = n < 70 ? 0 : n < 128 ? 1 : n < 700 ? 2 : 8;
  check_backward<float>(queue(), tokens, 16, 9);
  check_backward<double>(queue(), tokens, 16, 9);
}

TEST_P(Embedding, BackwardLeavesOutPaddingAndForeignTokens) {
  Tokens tokens = random_integers(600, 12);
  for (std::int32_t& token : tokens) token -= 1;  // -1 and 10 are outside [0, 10)
  check_backward<float>(queue(), tokens, 6, 10);
  check_backward<float>(queue(), tokens, 6, 10, 0);
  check_backward<double>(queue(), tokens, 6, 10, 9);
}

TEST_P(Embedding, BackwardKeepsALargeSumAccurate) {
  const std::vector<float> d_out(25600, 0.1f);
  const auto actual = backward(queue(), Tokens(25600, 1), 1, 2, -1, d_out);
  EXPECT_NEAR(actual[1], 2560.0, 1e-2);  // one float after the other would be wrong by 0.15
}

TEST(EmbeddingThreads, DoNotChangeTheBits) {
  auto tokens = random_integers(3000, 4000);
  for (std::int32_t& token : tokens) token = token * token / 40000;  // small ones often
  const auto d_out = random_numbers<float>(3000 * 40);
  expect_same_bits_on_any_threads<float>(
      [&](const Queue& queue) { return backward(queue, tokens, 40, 500, 3, d_out); });
}

TEST(EmbeddingArguments, AreChecked) {
  float table[4] = {};
  std::int32_t tokens[2] = {};
  expect_usage_error(
      [&] {
        embedding_forward(
            {},
            {.rows = 2, .embedding_size = 2, .vocabulary = 2, .table = table, .tokens = tokens});
      },
      "out");
  EmbeddingBackwardArgs args = {.rows = 2,
                                .embedding_size = 2,
                                .vocabulary = 2,
                                .d_out = table,
                                .tokens = tokens,
                                .d_table = table};
  expect_usage_error([&] { embedding_backward({}, args); }, "workspace");
  args.rows = -2;
  expect_usage_error([&] { embedding_backward({}, args); }, "rows");
  args = {.vocabulary = -1};
  expect_usage_error([&] { embedding_backward({}, args); }, "vocabulary");
}

}  // namespace
}  // namespace sluice::test
