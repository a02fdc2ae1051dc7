// Every kernel on 16-bit numbers does what it does on the float32 numbers they stand for, and
// rounds once at the end; what is carried or added up stays float32.
#include "kernels/base/types.h"

#include "kernels/arrays/bias.h"
#include "kernels/arrays/rows.h"
#include "kernels/cells/combined_bias.h"
#include "kernels/sequences/dropout.h"
#include "kernels/sequences/embedding.h"
#include "kernels/sequences/pooling.h"
#include "kernels/time_loops/cell_step.h"
#include "kernels/time_loops/recurrent_state.h"
#include "tests/kernels/device_fixture.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

class Types : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Types);

/// run<S>(queue) for both 16-bit types.
#define SLUICE_FOR_16_BIT_TYPES(run) \
  {                                  \
    SCOPED_TRACE("bfloat16");        \
    run<BFloat16>(queue());          \
  }                                  \
  {                                  \
    SCOPED_TRACE("float16");         \
    run<Float16>(queue());           \
  }

template <class S>
std::vector<float> widened(const std::vector<S>& numbers) {
  std::vector<float> wide;
  for (const S x : numbers) wide.push_back(widen(x));
  return wide;
}

/// `got` is `wide` rounded to S. Two kernels may differ in float32's last bits before they round.
template <class S>
void expect_rounded(const char* name, const std::vector<S>& got, const std::vector<float>& wide) {
  ASSERT_EQ(got.size(), wide.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double allowed = tolerance<S> * std::abs(double{wide[i]}) + 2e-6;
    ASSERT_NEAR(value_of(got[i]), wide[i], allowed) << name << " at " << i;
  }
}
template <>
void expect_rounded(const char* name, const std::vector<float>& got,
                    const std::vector<float>& wide) {
  ASSERT_EQ(got.size(), wide.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], wide[i], 2e-6 * std::max(1.0f, std::abs(wide[i]))) << name << " at " << i;
  }
}

/// The same numbers for a run in S and for one in float32.
template <class T, class S>
std::vector<T> as(const std::vector<S>& numbers) {
  std::vector<T> same;
  for (const S x : numbers) same.push_back(narrow<T>(widen(x)));
  return same;
}

struct Step {
  static constexpr std::int64_t rows = 5, batch = 7, hidden = 37, previous_rows = 3,
                                ld = hidden + 3;
};

/// Every array that a cell step writes, from a run whose arrays are of type T.
template <class T>
struct StepResults {
  std::vector<T> gates, c, h, h_operand;
  std::vector<float> h_state, c_state;
};

template <class S, class T>
StepResults<T> cell_forward(const Queue& queue, Cell cell, bool masked) {
  const std::int64_t slots = slot_count(cell), states = Step::batch * Step::hidden;
  const auto mask_numbers = random_numbers<S>(gate_count(cell) * states, 5);
  const GuardedBuffer gates(queue, as<T>(random_numbers<S>(Step::rows * slots * Step::hidden, 1))),
      bias(queue, random_numbers<float>(slots * Step::hidden, 2)),
      h_state(queue, random_numbers<float>(states, 3)),
      c_state(queue, random_numbers<float>(states, 4)), mask(queue, as<T>(mask_numbers)),
      unit_weights(queue, as<T>(random_numbers<S>(3 * Step::hidden, 12))),
      c(queue, std::vector<T>(states)), h(queue, std::vector<T>(Step::rows * Step::ld)),
      h_operand(queue, std::vector<T>(mask_numbers.size()));
  const CellStepForwardArgs args{.cell = cell,
                                 .type = type_of<T>,
                                 .rows = Step::rows,
                                 .batch = Step::batch,
                                 .hidden_size = Step::hidden,
                                 .gates = gates.data(),
                                 .bias = bias.data(),
                                 .h_state = h_state.data(),
                                 .c_state = c_state.data(),
                                 .c = c.data(),
                                 .h = h.data(),
                                 .ldh = Step::ld,
                                 .mask = masked ? mask.data() : nullptr,
                                 .h_operand = masked || sizeof(T) == 2 ? h_operand.data() : nullptr,
                                 .unit_weights = unit_weights.data()};
  if (cell == Cell::gru_reset_before) {
    cell_step_forward(queue, args, CellPhase::operand);
    cell_step_forward(queue, args, CellPhase::output);
  } else {
    cell_step_forward(queue, args);
  }
  for (const GuardedBuffer* memory : {&gates, &c, &h, &h_operand, &h_state, &c_state}) {
    EXPECT_TRUE(memory->guards_intact());
  }
  return {gates.get<T>(),     c.get<T>(),           h.get<T>(),
          h_operand.get<T>(), h_state.get<float>(), c_state.get<float>()};
}

template <class S>
void check_cell_forward(const Queue& queue) {
  for (const Cell cell : all_cells) {
    for (const bool masked : {false, true}) {
      SCOPED_TRACE(testing::Message() << sluice::name_of(cell) << (masked ? ", masked" : ""));
      const auto got = cell_forward<S, S>(queue, cell, masked);
      const auto wide = cell_forward<S, float>(queue, cell, masked);
      // The reset-before GRU reads its rounded gates again in its second half.
      const float carried =
          cell == Cell::gru_reset_before ? static_cast<float>(tolerance<S>) : 2e-6f;
      for (std::size_t i = 0; i < wide.h_state.size(); ++i) {
        ASSERT_NEAR(got.h_state[i], wide.h_state[i], carried) << "h_state at " << i;
      }
      expect_rounded("c_state", got.c_state, wide.c_state);
      std::vector<float> h(Step::rows * Step::ld);  // with the gaps between its rows
      for (std::int64_t i = 0; i < Step::rows * Step::hidden; ++i) {
        h[i / Step::hidden * Step::ld + i % Step::hidden] = got.h_state[i];
      }
      expect_rounded("h", got.h, h);
      if (has_cell_state(cell)) expect_rounded("c", got.c, wide.c);
      if (cell != Cell::gru_reset_before) expect_rounded("gates", got.gates, wide.gates);
      if (masked) {
        if (cell != Cell::gru_reset_before)
          expect_rounded("h_operand", got.h_operand, wide.h_operand);
        continue;
      }
      if (!spec_of(cell).recurrent_matrix) continue;
      const std::vector<S> operand(got.h_operand.begin(),
                                   got.h_operand.begin() + Step::rows * Step::hidden);
      expect_rounded("h_operand", operand,
                     std::vector<float>(got.h_state.begin(), got.h_state.begin() + operand.size()));
    }
  }
}

TEST_P(Types, CellStepForward) { SLUICE_FOR_16_BIT_TYPES(check_cell_forward); }

template <class T>
struct StepGradients {
  std::vector<T> gates;
  std::vector<float> dh_state, dc_state;
};

template <class S, class T>
StepGradients<T> cell_backward(const Queue& queue, Cell cell, bool masked) {
  const std::int64_t slots = slot_count(cell), states = Step::batch * Step::hidden;
  const GuardedBuffer gates(queue, as<T>(random_numbers<S>(Step::rows * slots * Step::hidden, 1))),
      h_previous(queue, as<T>(random_numbers<S>(Step::previous_rows * Step::ld, 2))),
      c_previous(queue, as<T>(random_numbers<S>(Step::previous_rows * Step::hidden, 3))),
      h_initial(queue, random_numbers<float>(states, 4)),
      c_initial(queue, random_numbers<float>(states, 5)),
      c(queue, as<T>(random_numbers<S>(Step::rows * Step::hidden, 6))),
      dy(queue, as<T>(random_numbers<S>(Step::rows * Step::ld, 7))),
      dh_state(queue, random_numbers<float>(states, 8)),
      dc_state(queue, random_numbers<float>(states, 9)),
      mask(queue, as<T>(random_numbers<S>(gate_count(cell) * states, 10))),
      dq(queue, random_numbers<float>(Step::rows * Step::hidden, 11)),
      unit_weights(queue, as<T>(random_numbers<S>(3 * Step::hidden, 12)));
  const CellStepBackwardArgs args{.cell = cell,
                                  .type = type_of<T>,
                                  .rows = Step::rows,
                                  .batch = Step::batch,
                                  .hidden_size = Step::hidden,
                                  .gates = gates.data(),
                                  .h_previous = h_previous.data(),
                                  .ldh = Step::ld,
                                  .c_previous = c_previous.data(),
                                  .previous_rows = Step::previous_rows,
                                  .h_initial = h_initial.data(),
                                  .c_initial = c_initial.data(),
                                  .c = c.data(),
                                  .dy = dy.data(),
                                  .lddy = Step::ld,
                                  .dh_state = dh_state.data(),
                                  .dc_state = dc_state.data(),
                                  .mask = masked ? mask.data() : nullptr,
                                  .dq = dq.data(),
                                  .unit_weights = unit_weights.data()};
  if (cell == Cell::gru_reset_before) {
    cell_step_backward(queue, args, CellPhase::output);
    cell_step_backward(queue, args, CellPhase::operand);
  } else {
    cell_step_backward(queue, args);
  }
  for (const GuardedBuffer* memory : {&gates, &dh_state, &dc_state})
    EXPECT_TRUE(memory->guards_intact());
  return {gates.get<T>(), dh_state.get<float>(), dc_state.get<float>()};
}

template <class S>
void check_cell_backward(const Queue& queue) {
  for (const Cell cell : all_cells) {
    for (const bool masked : {false, true}) {
      SCOPED_TRACE(testing::Message() << sluice::name_of(cell) << (masked ? ", masked" : ""));
      const auto got = cell_backward<S, S>(queue, cell, masked);
      const auto wide = cell_backward<S, float>(queue, cell, masked);
      expect_rounded("gates", got.gates, wide.gates);
      expect_rounded("dh_state", got.dh_state, wide.dh_state);
      expect_rounded("dc_state", got.dc_state, wide.dc_state);
    }
  }
}

TEST_P(Types, CellStepBackward) { SLUICE_FOR_16_BIT_TYPES(check_cell_backward); }

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
void states(const Queue& queue, std::vector<T>& masked, std::vector<float>& dh,
            std::vector<T>& previous) {
  constexpr std::int64_t batch = 4, hidden = 19, planes = 3, count = batch * hidden;
  const SequencesOnDevice sequences(queue, {2, 5, 1, 5});
  const GuardedBuffer h(queue, random_numbers<float>(count)),
      mask(queue, as<T>(random_numbers<S>(planes * count, 2))),
      d_masked(queue, random_numbers<float>(planes * count, 3)),
      dh_memory(queue, random_numbers<float>(count, 4)), out(queue, planes * count * sizeof(T)),
      all_h(queue, as<T>(random_numbers<S>(sequences.rows() * hidden, 5))),
      before(queue, sequences.rows() * hidden * sizeof(T));
  mask_state(queue, {.type = type_of<T>,
                     .planes = planes,
                     .batch = batch,
                     .hidden_size = hidden,
                     .mask = mask.data(),
                     .h = h.data(),
                     .out = out.data()});
  unmask_gradient(queue, {.type = type_of<T>,
                          .planes = planes,
                          .rows = 3,
                          .batch = batch,
                          .hidden_size = hidden,
                          .mask = mask.data(),
                          .d_masked = d_masked.data(),
                          .dh = dh_memory.data()});
  previous_states(queue, {.type = type_of<T>,
                          .sequences = sequences.view(),
                          .reverse = true,
                          .rows = sequences.rows(),
                          .hidden_size = hidden,
                          .h = all_h.data(),
                          .ldh = hidden,
                          .h_initial = h.data(),
                          .mask = mask.data(),
                          .out = before.data()});
  EXPECT_TRUE(out.guards_intact() && dh_memory.guards_intact() && before.guards_intact());
  masked = out.get<T>();
  dh = dh_memory.get<float>();
  previous = before.get<T>();
}

template <class S>
void check_states(const Queue& queue) {
  std::vector<S> masked, previous;
  std::vector<float> wide_masked, wide_previous, dh, wide_dh;
  states<S, S>(queue, masked, dh, previous);
  states<S, float>(queue, wide_masked, wide_dh, wide_previous);
  expect_rounded("mask_state", masked, wide_masked);
  expect_rounded("unmask_gradient", dh, wide_dh);
  expect_rounded("previous_states", previous, wide_previous);
  const GuardedBuffer h(queue, random_numbers<float>(12)), out(queue, 12 * sizeof(S));
  mask_state(queue, {.type = type_of<S>,
                     .planes = 1,
                     .batch = 3,
                     .hidden_size = 4,
                     .h = h.data(),
                     .out = out.data()});
  expect_rounded("h without a mask", out.get<S>(), random_numbers<float>(12));
}

TEST_P(Types, RecurrentState) { SLUICE_FOR_16_BIT_TYPES(check_states); }

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
