// One time step of every cell against its equations written out in double, and its gradients
// against finite differences of those equations.
#include "kernels/time_loops/cell_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/kernels/test_device.h"
#include "tests/kernels/time_loops/cell_step_problem.h"

namespace sluice::test {
namespace {

template <class Number>
constexpr DataType data_type =
    std::is_same_v<Number, double> ? DataType::float64 : DataType::float32;
template <class Number>
constexpr double tolerance = std::is_same_v<Number, double> ? 1e-12 : 2e-6;
template <class Number>
constexpr double gradient_tolerance = std::is_same_v<Number, double> ? 1e-8 : 4e-6;

template <class Number>
void check_forward(const Queue& queue, Cell cell, std::int64_t hidden, bool with_bias,
                   bool with_mask, bool training, ZoneoutKind zoneout) {
  const Step<Number> step(cell, hidden, zoneout);
  const bool has_c = has_cell_state(cell);
  GuardedBuffer gates(queue, step.pre), bias(queue, step.bias), h_state(queue, step.h_state),
      c_state(queue, step.c_state), mask(queue, step.mask), unit_weights(queue, step.unit_weights),
      order(queue, step.order);
  GuardedBuffer c(queue, step.rows * hidden * sizeof(Number));
  GuardedBuffer h(queue, step.rows * (hidden + step.gap) * sizeof(Number));
  GuardedBuffer h_masked(queue, step.mask.size() * sizeof(Number));
  CellStepForwardArgs args;
  args.cell = cell;
  args.type = data_type<Number>;
  args.rows = step.rows;
  args.batch = step.batch;
  args.hidden_size = hidden;
  args.gates = gates.data();
  args.bias = with_bias ? bias.data() : nullptr;
  args.h_state = h_state.data();
  args.c_state = has_c ? c_state.data() : nullptr;
  args.c = has_c && training ? c.data() : nullptr;
  args.h = training ? h.data() : nullptr;
  args.ldh = hidden + step.gap;
  args.mask = with_mask ? mask.data() : nullptr;
  args.h_operand = with_mask ? h_masked.data() : nullptr;
  args.unit_weights = step.spec.unit_weights > 0 ? unit_weights.data() : nullptr;
  args.draws.zoneout = step.zoneout;
  args.step = step.number;
  args.order = static_cast<const std::int32_t*>(order.data());
  if (step.spec.two_phases()) {
    cell_step_forward(queue, args, CellPhase::operand);
    cell_step_forward(queue, args, CellPhase::output);
  } else {
    cell_step_forward(queue, args);
  }

  const auto slots = gates.get<Number>(), h_new = h_state.get<Number>(),
             c_new = c_state.get<Number>(), c_kept = c.get<Number>(), h_out = h.get<Number>(),
             masked = h_masked.get<Number>();
  for (std::int64_t row = 0; row < step.batch; ++row) {
    for (std::int64_t unit = 0; unit < hidden; ++unit) {
      const std::int64_t at = row * hidden + unit;
      if (row >= step.rows) {
        ASSERT_EQ(h_new[at], step.h_state[at]) << "a row that has ended was touched";
        ASSERT_EQ(c_new[at], step.c_state[at]) << "a row that has ended was touched";
        continue;
      }
      const UnitOut expected = reference(cell, step.unit_in(row, unit, with_bias, with_mask));
      for (int s = 0; s < step.spec.slots; ++s) {
        ASSERT_NEAR(slots[step.slot_index(row, s, unit)], expected.slot[s], tolerance<Number>)
            << "slot " << s << " of row " << row << ", unit " << unit;
      }
      ASSERT_NEAR(h_new[at], expected.h, tolerance<Number>);
      if (has_c) {
        ASSERT_NEAR(c_new[at], expected.c, tolerance<Number>);
      }
      if (has_c && training) {
        ASSERT_EQ(c_kept[at], c_new[at]);
      }
      if (training) {
        ASSERT_EQ(h_out[row * (hidden + step.gap) + unit], h_new[at]);
      }
      for (std::int64_t gate = 0; with_mask && gate < step.gates; ++gate) {
        const std::int64_t index = (gate * step.batch + row) * hidden + unit;
        if (!step.spec.recurrent_matrix) {
          ASSERT_TRUE(std::isnan(masked[index])) << "there is no matrix that h enters";
          continue;
        }
        ASSERT_NEAR(masked[index], h_new[at] * step.mask[index], tolerance<Number>);
      }
    }
  }
  for (const GuardedBuffer* memory : {&gates, &h_state, &c_state, &c, &h, &h_masked}) {
    EXPECT_TRUE(memory->guards_intact());
  }
}

template <class Number>
void check_backward(const Queue& queue, Cell cell, std::int64_t hidden, bool with_mask,
                    bool with_dy, ZoneoutKind zoneout) {
  const Step<Number> step(cell, hidden, zoneout);
  const bool has_c = has_cell_state(cell);
  // The activated slots and c that forward leaves, from the reference.
  std::vector<Number> activated(step.pre.size()), c_now(step.rows * hidden);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    for (std::int64_t unit = 0; unit < hidden; ++unit) {
      const UnitOut out = reference(cell, step.unit_in(row, unit, true, with_mask));
      for (std::int64_t s = 0; s < step.slots; ++s) {
        activated[step.slot_index(row, s, unit)] = static_cast<Number>(out.slot[s]);
      }
      c_now[row * hidden + unit] = static_cast<Number>(out.c);
    }
  }
  // The first rows go on from the step before; the others begin here, from the initial state.
  const std::int64_t ldh = hidden + step.gap;
  std::vector<Number> h_before(step.previous_rows * ldh), c_before(step.previous_rows * hidden);
  std::vector<Number> h_first = step.h_state, c_first = step.c_state;
  const Number nan = std::numeric_limits<Number>::quiet_NaN();
  for (std::int64_t row = 0; row < step.previous_rows; ++row) {
    for (std::int64_t unit = 0; unit < hidden; ++unit) {
      h_before[row * ldh + unit] = std::exchange(h_first[row * hidden + unit], nan);
      c_before[row * hidden + unit] = std::exchange(c_first[row * hidden + unit], nan);
    }
  }
  GuardedBuffer gates(queue, activated), h_previous(queue, h_before), c_previous(queue, c_before),
      h_initial(queue, h_first), c_initial(queue, c_first), c(queue, c_now), dy(queue, step.dy),
      dh_state(queue, step.dh), dc_state(queue, step.dc), mask(queue, step.mask),
      dq(queue, step.dq), unit_weights(queue, step.unit_weights), order(queue, step.order);
  CellStepBackwardArgs args;
  args.cell = cell;
  args.type = data_type<Number>;
  args.rows = step.rows;
  args.batch = step.batch;
  args.hidden_size = hidden;
  args.gates = gates.data();
  args.h_previous = h_previous.data();
  args.ldh = ldh;
  args.c_previous = c_previous.data();
  args.previous_rows = step.previous_rows;
  args.h_initial = h_initial.data();
  args.c_initial = c_initial.data();
  args.c = c.data();
  args.dy = with_dy ? dy.data() : nullptr;
  args.lddy = hidden + step.gap;
  args.dh_state = dh_state.data();
  args.dc_state = has_c ? dc_state.data() : nullptr;
  args.mask = with_mask ? mask.data() : nullptr;
  args.dq = dq.data();
  args.unit_weights = step.spec.unit_weights > 0 ? unit_weights.data() : nullptr;
  args.draws.zoneout = step.zoneout;
  args.step = step.number;
  args.order = static_cast<const std::int32_t*>(order.data());
  if (step.spec.two_phases()) {
    cell_step_backward(queue, args, CellPhase::output);
    cell_step_backward(queue, args, CellPhase::operand);
  } else {
    cell_step_backward(queue, args);
  }

  const auto slots = gates.get<Number>(), dh = dh_state.get<Number>(), dc = dc_state.get<Number>();
  for (std::int64_t row = 0; row < step.batch; ++row) {
    for (std::int64_t unit = 0; unit < hidden; ++unit) {
      const std::int64_t at = row * hidden + unit;
      if (row >= step.rows) {
        ASSERT_EQ(dh[at], step.dh[at]) << "a row that has ended was touched";
        ASSERT_EQ(dc[at], step.dc[at]) << "a row that has ended was touched";
        continue;
      }
      const double dh_in =
          step.dh[at] + (with_dy ? double{step.dy[row * (hidden + step.gap) + unit]} : 0.0);
      const auto loss = [&](const UnitIn& in) {
        const UnitOut out = reference(cell, in);
        double sum = dh_in * out.h;
        if (has_c) sum += double{step.dc[at]} * out.c;
        if (step.spec.two_phases()) sum += double{step.dq[at]} * out.slot[3];
        return sum;
      };
      const UnitIn in = step.unit_in(row, unit, true, with_mask);
      for (int s = 0; s < step.spec.slots; ++s) {
        const double expected = !step.spec.holds_sum(s)  // stays, for gradients of weights
                                    ? reference(cell, in).slot[s]
                                    : derivative(loss, in, pre_field, s);
        ASSERT_NEAR(slots[step.slot_index(row, s, unit)], expected, gradient_tolerance<Number>)
            << "slot " << s << " of row " << row << ", unit " << unit;
      }
      ASSERT_NEAR(dh[at], derivative(loss, in, h_prev_field, 0), gradient_tolerance<Number>);
      if (has_c) {
        ASSERT_NEAR(dc[at], derivative(loss, in, c_prev_field, 0), gradient_tolerance<Number>);
      }
    }
  }
  for (const GuardedBuffer* memory : {&gates, &dh_state, &dc_state}) {
    EXPECT_TRUE(memory->guards_intact());
  }
}

constexpr ZoneoutKind zoneouts[] = {ZoneoutKind::off, ZoneoutKind::draws, ZoneoutKind::mixes};

class CellStep
    : public ::testing::TestWithParam<std::tuple<Cell, DataType, std::int64_t, DeviceKind>> {
 protected:
  void SetUp() override {
    if (const std::string why = why_unavailable(std::get<3>(GetParam())); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }
};

TEST_P(CellStep, ForwardFollowsTheEquations) {
  const auto [cell, type, hidden, kind] = GetParam();
  const TestDevice device(kind, 2);
  const auto check = type == DataType::float64 ? check_forward<double> : check_forward<float>;
  for (const bool with_bias : {true, false}) {
    for (const bool with_mask : {false, true}) {
      for (const bool training : {true, false}) {
        for (const ZoneoutKind zoneout : zoneouts) {
          check(device.queue(), cell, hidden, with_bias, with_mask, training, zoneout);
        }
      }
    }
  }
}

TEST_P(CellStep, BackwardIsTheDerivativeOfForward) {
  const auto [cell, type, hidden, kind] = GetParam();
  const TestDevice device(kind, 2);
  const auto check = type == DataType::float64 ? check_backward<double> : check_backward<float>;
  for (const bool with_mask : {false, true}) {
    for (const bool with_dy : {true, false}) {
      for (const ZoneoutKind zoneout : zoneouts) {
        check(device.queue(), cell, hidden, with_mask, with_dy, zoneout);
      }
    }
  }
}

std::string test_name(const ::testing::TestParamInfo<CellStep::ParamType>& test) {
  const auto [cell, type, hidden, kind] = test.param;
  return std::string(sluice::name_of(cell)) +
         (type == DataType::float64 ? "_float64_" : "_float32_") + std::to_string(hidden) + "_" +
         name_of(kind);
}

INSTANTIATE_TEST_SUITE_P(All, CellStep,
                         ::testing::Combine(::testing::ValuesIn(all_cells),
                                            ::testing::Values(DataType::float32, DataType::float64),
                                            ::testing::Values(std::int64_t{1}, std::int64_t{17},
                                                              std::int64_t{64}),
                                            ::testing::Values(DeviceKind::cpu, DeviceKind::cuda)),
                         test_name);

TEST(CellStepArguments, RefusesWhatItCannotRun) {
  const Queue queue;
  std::vector<float> memory(64);
  CellStepForwardArgs args;
  args.rows = args.batch = 1;
  args.hidden_size = 4;
  args.gates = args.h_state = args.c_state = memory.data();
  const auto refused = [&](auto spoil, CellPhase phase = CellPhase::whole) {
    CellStepForwardArgs bad = args;
    spoil(bad);
    EXPECT_THROW(cell_step_forward(queue, bad, phase), Error);
  };
  refused([](auto& bad) { bad.gates = nullptr; });
  refused([](auto& bad) { bad.h_state = nullptr; });
  refused([](auto& bad) { bad.c_state = nullptr; });
  refused([](auto& bad) { bad.rows = 2; });
  refused([](auto& bad) { bad.hidden_size = 0; });
  refused([&](auto& bad) { bad.mask = memory.data(); });
  refused([](auto& bad) { bad.draws.mask.rate = 1.0; });
  refused([](auto& bad) { bad.draws.zoneout.rate[1] = -0.5f; });
  refused([](auto&) {}, CellPhase::operand);
  refused([](auto& bad) { bad.cell = Cell::gru_reset_before; });
  refused([](auto& bad) { bad.cell = Cell::lstm_peephole; });
  refused([](auto& bad) { bad.cell = Cell::indrnn; });
}

}  // namespace
}  // namespace sluice::test
