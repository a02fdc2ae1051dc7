// The kernels of a step on 16-bit numbers: what is carried from step to step stays float32.
#include "kernels/time_loops/cell_step.h"
#include "kernels/time_loops/recurrent_state.h"
#include "tests/kernels/rounded.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

class StepTypes : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(StepTypes);

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

TEST_P(StepTypes, CellStepForward) { SLUICE_FOR_16_BIT_TYPES(check_cell_forward); }

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

TEST_P(StepTypes, CellStepBackward) { SLUICE_FOR_16_BIT_TYPES(check_cell_backward); }

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

TEST_P(StepTypes, RecurrentState) { SLUICE_FOR_16_BIT_TYPES(check_states); }

}  // namespace
}  // namespace sluice::test
