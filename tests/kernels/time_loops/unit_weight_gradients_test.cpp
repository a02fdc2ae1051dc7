#include "kernels/time_loops/unit_weight_gradients.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/kernels/device_fixture.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

class UnitWeightGradients : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(UnitWeightGradients);

struct Case {
  Cell cell = Cell::indrnn;
  std::vector<std::int32_t> lengths = {3, 7, 1, 5, 7};
  std::int64_t hidden = 13;
  bool reverse = false, masked = false, add = false;
  std::int64_t first_row = 0, skipped_at_the_end = 0;
};

// Nine rows, of which some begin after the 128 rows of a chunk.
const std::vector<std::int32_t> long_lengths = {100, 3, 77, 40, 100, 1, 64, 99, 12};

/// The arrays of a case on a device, each with random numbers.
template <class T>
struct Gradients {
  const Case& c;
  const CellSpec& spec = spec_of(c.cell);
  const SequencesOnDevice sequences;
  const std::int64_t rows = sequences.rows() - c.first_row - c.skipped_at_the_end;
  const std::int64_t ldh = c.hidden + 5, states = sequences.batch() * c.hidden;
  const std::vector<T> gates = random_numbers<T>(rows * spec.slots * c.hidden, 1);
  const std::vector<T> h = random_numbers<T>(sequences.rows() * ldh, 2);
  const std::vector<T> cells = random_numbers<T>(sequences.rows() * c.hidden, 3);
  const std::vector<Wide<T>> h_initial = random_numbers<Wide<T>>(states, 4);
  const std::vector<Wide<T>> c_initial = random_numbers<Wide<T>>(states, 5);
  const std::vector<T> mask = random_numbers<T>(spec.gates * states, 6);
  const std::vector<Wide<T>> before = random_numbers<Wide<T>>(spec.unit_weights * c.hidden, 7);

  Gradients(const Queue& queue, const Case& of) : c(of), sequences(queue, of.lengths) {}

  std::vector<Wide<T>> kernel(const Queue& queue) const {
    const std::size_t bytes =
        unit_weight_gradients_workspace_bytes(c.cell, type_of<T>, rows, c.hidden);
    const GuardedBuffer gates_memory(queue, gates), h_memory(queue, h), c_memory(queue, cells),
        h_first(queue, h_initial), c_first(queue, c_initial), mask_memory(queue, mask),
        workspace(queue, bytes);
    GuardedBuffer out(queue, before);
    if (!c.add) out.poison();
    unit_weight_gradients(queue, {.cell = c.cell,
                                  .type = type_of<T>,
                                  .sequences = sequences.view(),
                                  .reverse = c.reverse,
                                  .first_row = c.first_row,
                                  .rows = rows,
                                  .hidden_size = c.hidden,
                                  .gates = gates_memory.data(),
                                  .h = h_memory.data(),
                                  .ldh = ldh,
                                  .c = c_memory.data(),
                                  .h_initial = h_first.data(),
                                  .c_initial = c_first.data(),
                                  .mask = c.masked ? mask_memory.data() : nullptr,
                                  .add = c.add,
                                  .out = out.data(),
                                  .workspace = workspace.data(),
                                  .workspace_bytes = bytes});
    EXPECT_TRUE(out.guards_intact() && workspace.guards_intact());
    return out.get<Wide<T>>();
  }

  /// State `state` of unit u before step t of sorted row r.
  double previous(int state, std::int64_t r, std::int64_t t, std::int64_t u) const {
    const std::int64_t before_t = c.reverse ? t + 1 : t - 1;
    if (before_t < 0 || before_t >= sequences.lengths()[r]) {
      return value_of((state == 0 ? h_initial : c_initial)[r * c.hidden + u]);
    }
    const std::int64_t row = sequences.packed_row(r, before_t);
    return value_of(state == 0 ? h[row * ldh + u] : cells[row * c.hidden + u]);
  }

  std::vector<double> expected() const {
    std::vector<double> sums(before.size());
    for (std::size_t i = 0; c.add && i < sums.size(); ++i) sums[i] = value_of(before[i]);
    for (std::int64_t r = 0; r < sequences.batch(); ++r) {
      for (std::int64_t t = 0; t < sequences.lengths()[r]; ++t) {
        const std::int64_t i = sequences.packed_row(r, t) - c.first_row;
        if (i < 0 || i >= rows) continue;
        for (int w = 0; w < spec.unit_weights; ++w) {
          const UnitWeight of = spec.unit_weight[w];
          for (std::int64_t u = 0; u < c.hidden; ++u) {
            const auto slot = [&](int s) {
              return value_of(gates[(i * spec.slots + s) * c.hidden + u]);
            };
            double term =
                slot(of.slot) *
                (of.factor_slot >= 0 ? slot(of.factor_slot) : previous(of.previous_state, r, t, u));
            if (c.masked && !spec.recurrent_matrix) {
              term *= value_of(mask[(of.slot * sequences.batch() + r) * c.hidden + u]);
            }
            sums[w * c.hidden + u] += term;
          }
        }
      }
    }
    return sums;
  }
};

template <class T>
void check(const Queue& queue, const Case& c) {
  const Gradients<T> run(queue, c);
  SCOPED_TRACE(testing::Message() << name_of(c.cell) << ", " << name_of(type_of<T>) << ", "
                                  << run.rows << " rows" << (c.reverse ? ", reverse" : "")
                                  << (c.masked ? ", masked" : "") << (c.add ? ", added" : ""));
  expect_near(run.kernel(queue), run.expected(),
              tolerance<Wide<T>> * (1.0 + std::sqrt(static_cast<double>(run.rows))));
}

TEST_P(UnitWeightGradients, AreSumsOverRowsAndSteps) {
  for (const Cell cell : all_cells) {
    if (spec_of(cell).unit_weights == 0) continue;
    for (const bool reverse : {false, true}) {
      for (const bool masked : {false, true}) {
        for (const bool add : {false, true}) {
          Case c{.cell = cell, .reverse = reverse, .masked = masked, .add = add};
          check<double>(queue(), c);
          check<BFloat16>(queue(), c);
          check<Float16>(queue(), c);
          c.lengths = long_lengths;
          c.hidden = 300;
          check<float>(queue(), c);
        }
      }
    }
  }
}

TEST_P(UnitWeightGradients, OfAPartOfTheRows) {
  for (const Cell cell : {Cell::lstm_peephole, Cell::indrnn}) {
    for (const bool reverse : {false, true}) {
      const Case c{.cell = cell,
                   .lengths = long_lengths,
                   .reverse = reverse,
                   .masked = true,
                   .add = true,
                   .first_row = 150,
                   .skipped_at_the_end = 31};
      check<double>(queue(), c);
      check<float>(queue(), c);
    }
  }
}

TEST_P(UnitWeightGradients, OfNoRowsAreZeroOrWhatWasThere) {
  for (const bool add : {false, true}) {
    const Case c{.add = add, .first_row = 23};
    const Gradients<float> run(queue(), c);
    ASSERT_EQ(run.rows, 0);
    EXPECT_EQ(run.kernel(queue()), add ? run.before : std::vector<float>(run.before.size()));
  }
}

TEST(UnitWeightGradientsThreads, DoNotChangeTheBits) {
  const Case c{.cell = Cell::lstm_peephole, .lengths = long_lengths, .hidden = 600};
  expect_same_bits_on_any_threads<float>(
      [&](const Queue& queue) { return Gradients<float>(queue, c).kernel(queue); });
}

TEST(UnitWeightGradientsArguments, AreChecked) {
  const SequencesOnDevice sequences({}, {2});
  float x[64] = {};
  const UnitWeightGradientsArgs peephole{.cell = Cell::lstm_peephole,
                                         .sequences = sequences.view(),
                                         .rows = 2,
                                         .hidden_size = 2,
                                         .gates = x,
                                         .c = x,
                                         .c_initial = x,
                                         .out = x,
                                         .workspace = x,
                                         .workspace_bytes = sizeof(x)};
  EXPECT_NO_THROW(unit_weight_gradients({}, peephole));
  UnitWeightGradientsArgs indrnn = peephole;
  indrnn.cell = Cell::indrnn;
  indrnn.h = indrnn.h_initial = x;
  indrnn.ldh = 2;
  EXPECT_NO_THROW(unit_weight_gradients({}, indrnn));
  const auto refused = [](UnitWeightGradientsArgs bad, auto spoil, const char* mentions) {
    spoil(bad);
    expect_usage_error([&] { unit_weight_gradients({}, bad); }, mentions);
  };
  using Args = UnitWeightGradientsArgs;
  refused(
      peephole, [](Args& bad) { bad.cell = Cell::lstm; }, "cell: expected one with weights");
  refused(
      peephole, [](Args& bad) { bad.rows = -1; }, "rows");
  refused(
      peephole, [](Args& bad) { bad.rows = 3; }, "sequences.rows");
  refused(
      peephole, [](Args& bad) { bad.first_row = -1; }, "first_row");
  refused(
      peephole, [](Args& bad) { bad.hidden_size = 0; }, "hidden_size");
  refused(
      peephole, [](Args& bad) { bad.gates = nullptr; }, "gates");
  refused(
      peephole, [](Args& bad) { bad.c = nullptr; }, "c:");
  refused(
      peephole, [](Args& bad) { bad.c_initial = nullptr; }, "c_initial");
  refused(
      peephole, [](Args& bad) { bad.out = nullptr; }, "out");
  refused(
      peephole, [](Args& bad) { bad.workspace_bytes = 8; }, "workspace");
  refused(
      indrnn, [](Args& bad) { bad.h = nullptr; }, "h:");
  refused(
      indrnn, [](Args& bad) { bad.h_initial = nullptr; }, "h_initial");
  refused(
      indrnn, [](Args& bad) { bad.ldh = 1; }, "ldh");
  EXPECT_EQ(unit_weight_gradients_workspace_bytes(Cell::lstm, DataType::float32, 1000, 8), 0u);
}

}  // namespace
}  // namespace sluice::test
