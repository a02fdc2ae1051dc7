// The kernels of whole arrays on 16-bit numbers: what is added up stays float32. Those of a step
// are in tests/kernels/time_loops/step_types_test.cpp.
#include "kernels/base/types.h"

#include "kernels/arrays/bias.h"
#include "kernels/arrays/rows.h"
#include "kernels/cells/combined_bias.h"
#include "kernels/sequences/dropout.h"
#include "kernels/sequences/embedding.h"
#include "kernels/sequences/pooling.h"
#include "tests/kernels/rounded.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

class Types : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Types);

template <class S, class T>
std::vector<T> biased(const Queue& queue) {
  const GuardedBuffer x(queue, as<T>(random_numbers<S>(6 * 40))),
      bias(queue, random_numbers<float>(33, 2));
  add_bias(
      queue,
      {.type = type_of<T>, .rows = 6, .columns = 33, .x = x.data(), .ld = 40, .bias = bias.data()});
  return x.get<T>();
}

template <class S, class T>
std::vector<float> column_sums(const Queue& queue) {
  constexpr std::int64_t rows = 300, columns = 33;
  const std::size_t bytes = column_sum_workspace_bytes(type_of<T>, rows, columns);
  const GuardedBuffer x(queue, as<T>(random_numbers<S>(rows * columns))),
      out(queue, columns * sizeof(float)), workspace(queue, bytes);
  column_sum(queue, {.type = type_of<T>,
                     .rows = rows,
                     .columns = columns,
                     .x = x.data(),
                     .ld = columns,
                     .out = out.data(),
                     .workspace = workspace.data(),
                     .workspace_bytes = bytes});
  EXPECT_TRUE(out.guards_intact() && workspace.guards_intact());
  return out.get<float>();
}

template <class S, class T>
std::vector<float> combined(const Queue& queue, Cell cell) {
  const std::int64_t gates = gate_count(cell) * 9, slots = slot_count(cell) * 9;
  const GuardedBuffer ih(queue, as<T>(random_numbers<S>(gates))),
      hh(queue, as<T>(random_numbers<S>(gates, 2))), out(queue, slots * sizeof(float));
  combine_biases(queue, {.cell = cell,
                         .type = type_of<T>,
                         .hidden_size = 9,
                         .bias_ih = ih.data(),
                         .bias_hh = hh.data(),
                         .out = out.data()});
  EXPECT_TRUE(out.guards_intact());
  return out.get<float>();
}

template <class S>
void check_bias(const Queue& queue) {
  expect_rounded("add_bias", biased<S, S>(queue), biased<S, float>(queue));
  expect_rounded("column_sum", column_sums<S, S>(queue), column_sums<S, float>(queue));
  for (const Cell cell : {Cell::rnn_tanh, Cell::lstm, Cell::gru, Cell::gru_reset_before}) {
    EXPECT_EQ((combined<S, S>(queue, cell)), (combined<S, float>(queue, cell)));
  }
}

TEST_P(Types, Bias) { SLUICE_FOR_16_BIT_TYPES(check_bias); }

template <class S>
void check_rows(const Queue& queue) {
  const auto narrow_rows = random_numbers<S>(4 * 33);
  const auto wide_rows = random_numbers<float>(4 * 33, 2);
  const std::vector<std::int32_t> order = {2, -1, 0, 3};
  const GuardedBuffer index(queue, order), narrow_source(queue, narrow_rows),
      wide_source(queue, wide_rows), gathered(queue, wide_rows.size() * sizeof(float)),
      scattered(queue, std::vector<S>(4 * 33)), same(queue, narrow_rows.size() * sizeof(S));
  const auto* indices = static_cast<const std::int32_t*>(index.data());
  gather_rows(queue, {.type = type_of<S>,
                      .wide_to = true,
                      .rows = 4,
                      .columns = 33,
                      .source = narrow_source.data(),
                      .ld_source = 33,
                      .index = indices,
                      .to = gathered.data(),
                      .ld_to = 33});
  gather_rows(queue, {.type = type_of<S>,
                      .rows = 4,
                      .columns = 33,
                      .source = narrow_source.data(),
                      .ld_source = 33,
                      .index = indices,
                      .to = same.data(),
                      .ld_to = 33});
  scatter_rows(queue, {.type = type_of<S>,
                       .wide_source = true,
                       .rows = 4,
                       .columns = 33,
                       .source = wide_source.data(),
                       .ld_source = 33,
                       .index = indices,
                       .to = scattered.data(),
                       .ld_to = 33});
  const GuardedBuffer widened_rows(queue, std::vector<float>(4 * 33));
  scatter_rows(queue, {.type = type_of<S>,
                       .wide_to = true,
                       .rows = 4,
                       .columns = 33,
                       .source = narrow_source.data(),
                       .ld_source = 33,
                       .index = indices,
                       .to = widened_rows.data(),
                       .ld_to = 33});
  const auto widened_got = widened_rows.get<float>();
  const auto wide_got = gathered.get<float>();
  const auto same_got = same.get<S>(), narrow_got = scattered.get<S>();
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 33; ++j) {
      const float expected = order[i] < 0 ? 0.0f : widen(narrow_rows[order[i] * 33 + j]);
      ASSERT_EQ(wide_got[i * 33 + j], expected);
      ASSERT_EQ(widen(same_got[i * 33 + j]), expected);
      if (order[i] < 0) continue;
      ASSERT_EQ(widen(narrow_got[order[i] * 33 + j]), widen(narrow<S>(wide_rows[i * 33 + j])));
      ASSERT_EQ(widened_got[order[i] * 33 + j], widen(narrow_rows[i * 33 + j]));
    }
  }
  EXPECT_TRUE(widened_rows.guards_intact());
  EXPECT_TRUE(gathered.guards_intact() && same.guards_intact() && scattered.guards_intact());
}

TEST_P(Types, Rows) { SLUICE_FOR_16_BIT_TYPES(check_rows); }

template <class S, class T>
std::vector<T> dropped(const Queue& queue) {
  const SequencesOnDevice sequences(queue, {2, 5, 1});
  const GuardedBuffer x(queue, as<T>(random_numbers<S>(sequences.rows() * 34))),
      y(queue, sequences.rows() * 34 * sizeof(T));
  dropout_rows(queue, {.type = type_of<T>,
                       .sequences = sequences.view(),
                       .columns = 34,
                       .rate = 0.3,
                       .random = {.seed = 7, .stream = 2},
                       .x = x.data(),
                       .y = y.data()});
  return y.get<T>();
}
template <class T>
std::vector<T> drawn_mask(const Queue& queue) {
  const GuardedBuffer mask(queue, 3 * 5 * 34 * sizeof(T));
  dropout_mask(queue, {.type = type_of<T>,
                       .planes = 3,
                       .rows = 5,
                       .columns = 34,
                       .rate = 0.3,
                       .random = {.seed = 7, .stream = 2},
                       .mask = mask.data()});
  return mask.get<T>();
}

template <class S>
void check_dropout(const Queue& queue) {
  expect_rounded("rows", dropped<S, S>(queue), dropped<S, float>(queue));
  expect_rounded("mask", drawn_mask<S>(queue), drawn_mask<float>(queue));
}

TEST_P(Types, Dropout) { SLUICE_FOR_16_BIT_TYPES(check_dropout); }

template <class S, class T>
std::vector<float> table_gradient(const Queue& queue) {
  constexpr std::int64_t rows = 300, size = 33, vocabulary = 11;
  const std::size_t bytes = embedding_backward_workspace_bytes(queue, type_of<T>, rows, size);
  const GuardedBuffer d_out(queue, as<T>(random_numbers<S>(rows * size))),
      tokens(queue, random_integers(rows, vocabulary)), workspace(queue, bytes),
      table(queue, vocabulary * size * sizeof(float));
  embedding_backward(queue, {.type = type_of<T>,
                             .rows = rows,
                             .embedding_size = size,
                             .vocabulary = vocabulary,
                             .d_out = d_out.data(),
                             .tokens = static_cast<const std::int32_t*>(tokens.data()),
                             .d_table = table.data(),
                             .workspace = workspace.data(),
                             .workspace_bytes = bytes});
  EXPECT_TRUE(table.guards_intact() && workspace.guards_intact());
  return table.get<float>();
}

template <class S>
void check_embedding(const Queue& queue) {
  const auto table = random_numbers<float>(11 * 33);
  const std::vector<std::int32_t> tokens = {3, -1, 10, 3, 11};
  const GuardedBuffer wide_table(queue, table), narrow_table(queue, as<S>(table)),
      token(queue, tokens), from_wide(queue, 5 * 33 * sizeof(S)),
      from_narrow(queue, 5 * 33 * sizeof(S));
  for (const bool wide : {true, false}) {
    embedding_forward(queue, {.type = type_of<S>,
                              .wide_table = wide,
                              .rows = 5,
                              .embedding_size = 33,
                              .vocabulary = 11,
                              .table = (wide ? wide_table : narrow_table).data(),
                              .tokens = static_cast<const std::int32_t*>(token.data()),
                              .out = (wide ? from_wide : from_narrow).data()});
  }
  std::vector<float> expected;
  for (const std::int32_t t : tokens) {
    for (int e = 0; e < 33; ++e) expected.push_back(t < 0 || t > 10 ? 0.0f : table[t * 33 + e]);
  }
  expect_rounded("forward", from_wide.get<S>(), expected);
  EXPECT_EQ(widened(from_wide.get<S>()), widened(from_narrow.get<S>()));
  const auto got = table_gradient<S, S>(queue);
  EXPECT_EQ(got, (table_gradient<S, float>(queue)));  // the same additions in the same order
}

TEST_P(Types, Embedding) { SLUICE_FOR_16_BIT_TYPES(check_embedding); }

template <class S, class T>
void pool(const Queue& queue, Pooling pooling, std::vector<float>& out, std::vector<T>& dy) {
  const SequencesOnDevice sequences(queue, {2, 70, 1});
  const std::int64_t features = 34, count = 3 * features;
  const GuardedBuffer y(queue, as<T>(random_numbers<S>(sequences.rows() * features))),
      pooled(queue, count * sizeof(float)), argmax(queue, count * sizeof(std::int32_t)),
      d_out(queue, random_numbers<float>(count, 2)),
      gradient(queue, sequences.rows() * features * sizeof(T));
  auto* steps = static_cast<std::int32_t*>(argmax.data());
  pool_forward(queue, {.type = type_of<T>,
                       .pooling = pooling,
                       .sequences = sequences.view(),
                       .features = features,
                       .directions = 2,
                       .y = y.data(),
                       .out = pooled.data(),
                       .argmax = steps});
  pool_backward(queue, {.type = type_of<T>,
                        .pooling = pooling,
                        .sequences = sequences.view(),
                        .features = features,
                        .directions = 2,
                        .d_out = d_out.data(),
                        .argmax = steps,
                        .dy = gradient.data()});
  EXPECT_TRUE(pooled.guards_intact() && gradient.guards_intact());
  out = pooled.get<float>();
  dy = gradient.get<T>();
}

template <class S>
void check_pooling(const Queue& queue) {
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    std::vector<float> out, wide_out, wide_dy;
    std::vector<S> dy;
    pool<S, S>(queue, pooling, out, dy);
    pool<S, float>(queue, pooling, wide_out, wide_dy);
    expect_rounded("out", out, wide_out);
    expect_rounded("dy", dy, wide_dy);
  }
}

TEST_P(Types, Pooling) { SLUICE_FOR_16_BIT_TYPES(check_pooling); }

}  // namespace
}  // namespace sluice::test
