// Every cell's equations, for one unit in double: gradients against finite differences, alone and
// within the options, and what the descriptions promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"

namespace sluice::test {
namespace {

/// One unit of one row between what is added up in its slots and its new states. Of a cell of two
/// phases the operand's product is with a matrix of one number, the recurrent weight.
template <class C>
struct OneUnit {
  static constexpr CellSpec spec = C::spec;
  using U = Unit<C, double>;

  // Sums of the slots without the operand's product, states before, unit weights.
  double sum[spec.slots] = {}, previous[spec.states] = {}, weight[U::weights] = {};
  double matrix = 0, mask = 1;
  double drawn[Wrapped<C>::numbers] = {};
  bool wraps = false;

  U forward() const {
    U u = {};
    for (int s = 0; s < spec.slots; ++s) u.slot[s] = spec.holds_sum(s) ? sum[s] : 0.0;
    for (int s = 0; s < spec.states; ++s) u.previous[s] = previous[s];
    for (int w = 0; w < spec.unit_weights; ++w) u.weight[w] = weight[w];
    if constexpr (spec.two_phases()) {
      C::forward_operand(u, mask * previous[0]);
      for (int s = 0; s < spec.slots; ++s) {
        if (spec.slot[s].operand >= 0) u.slot[s] += matrix * u.slot[spec.slot[s].operand];
      }
    }
    wraps ? Wrapped<C>::forward(u, drawn) : C::forward(u);
    return u;
  }

  /// What backward makes of gradients by the states.
  U backward(const double (&d_state)[spec.states]) const {
    U u = forward();
    for (int s = 0; s < spec.states; ++s) u.d_state[s] = d_state[s];
    // What backward may not read: forward's h, and within options c too.
    u.state[0] = std::nan("");
    if (wraps) u.state[spec.states - 1] = std::nan("");
    if (!spec.reads_previous_h) u.previous[0] = std::nan("");
    wraps ? Wrapped<C>::backward(u, drawn) : C::backward(u);
    if constexpr (spec.two_phases()) {
      double d_operand = 0, d_h_masked = 0;
      for (int s = 0; s < spec.slots; ++s) {
        if (spec.slot[s].operand >= 0) d_operand += matrix * u.slot[s];
      }
      C::backward_operand(u, mask * previous[0], d_operand, d_h_masked);
      u.d_state[0] += mask * d_h_masked;
    }
    return u;
  }
};

template <class C>
class EachCell : public ::testing::Test {
 protected:
  using One = OneUnit<C>;
  static constexpr CellSpec spec = C::spec;

  double random() { return generator_() / 2147483648.0 - 1.0; }

  One unit() {
    One one;
    for (double& x : one.sum) x = random();
    for (double& x : one.previous) x = random();
    for (double& x : one.weight) x = random();
    one.matrix = random();
    one.mask = 1.25;
    return one;
  }

  // The gradients that backward finds are those of sum of d_state * state.
  void expect_derivatives(One one) {
    double d_state[spec.states];
    for (double& d : d_state) d = random();
    const auto loss = [&] {
      const auto u = one.forward();
      double sum = 0;
      for (int s = 0; s < spec.states; ++s) sum += d_state[s] * u.state[s];
      return sum;
    };
    const auto derivative = [&](double& x) {
      const double epsilon = 1e-6, value = x;
      x = value + epsilon;
      const double above = loss();
      x = value - epsilon;
      const double below = loss();
      x = value;
      return (above - below) / (2 * epsilon);
    };
    constexpr double allowed = 1e-8;
    const auto u = one.backward(d_state);
    for (int s = 0; s < spec.slots; ++s) {
      if (spec.holds_sum(s)) {
        EXPECT_NEAR(u.slot[s], derivative(one.sum[s]), allowed) << "slot " << s;
      }
    }
    for (int s = 0; s < spec.states; ++s) {
      EXPECT_NEAR(u.d_state[s], derivative(one.previous[s]), allowed) << "state " << s;
    }
    for (int w = 0; w < spec.unit_weights; ++w) {
      const UnitWeight of = spec.unit_weight[w];
      const double factor =
          of.factor_slot >= 0 ? u.slot[of.factor_slot] : one.previous[of.previous_state];
      EXPECT_NEAR(u.slot[of.slot] * factor, derivative(one.weight[w]), allowed) << "weight " << w;
    }
  }

 private:
  std::mt19937 generator_{1};
};

struct CellNames {
  template <class C>
  static std::string GetName(int) {
    return C::spec.name;
  }
};

// The list's, each once: the first of these types is a stand-in, so that every line has a comma.
struct None {};
template <class Head, class... Tail>
using AfterHead = ::testing::Types<Tail...>;
#define SLUICE_TYPE_OF_CELL(name, type) , type
using Cells = AfterHead<None SLUICE_CELLS(SLUICE_TYPE_OF_CELL)>;
#undef SLUICE_TYPE_OF_CELL
TYPED_TEST_SUITE(EachCell, Cells, CellNames);

TYPED_TEST(EachCell, BackwardIsTheDerivativeOfForward) {
  for (int trial = 0; trial < 50; ++trial) this->expect_derivatives(this->unit());
}

TYPED_TEST(EachCell, BackwardIsTheDerivativeOfForwardWithinTheOptions) {
  for (int trial = 0; trial < 200; ++trial) {
    auto one = this->unit();
    one.wraps = true;
    // Zoneout's: kept, taken, and mixed as in evaluation; each number apart.
    int i = 0;
    for (double& number : one.drawn) {
      const double choices[] = {0.0, 1.0, 0.7};
      number = choices[(trial + i++ * (trial / 3)) % 3];
    }
    this->expect_derivatives(one);
  }
}

TYPED_TEST(EachCell, ZoneoutKeepsOrMixesTheStates) {
  const auto plain = this->unit();
  const auto expected = plain.forward();
  for (const float taken : {0.0f, 0.75f, 1.0f}) {
    UnitDraws draws;
    draws.zoneout = {.rate = {1 - taken, 1 - taken}, .drops = false, .hidden_size = 1};
    auto one = plain;
    one.wraps = true;
    int i = 0;
    for (double& number : one.drawn) number = draws.number<double>(i++, 0, 0, 0);
    const auto u = one.forward();
    for (int s = 0; s < TestFixture::spec.states; ++s) {
      EXPECT_NEAR(u.state[s], taken * expected.state[s] + (1 - taken) * one.previous[s], 1e-15);
    }
  }
}

// What a weight is multiplied by is still there when the gradients of the weights are summed.
TYPED_TEST(EachCell, BackwardLeavesTheFactorsOfUnitWeights) {
  const auto one = this->unit();
  const auto before = one.forward();
  double d_state[TestFixture::spec.states] = {};
  d_state[0] = 1.0;
  const auto after = one.backward(d_state);
  for (int w = 0; w < TestFixture::spec.unit_weights; ++w) {
    const int s = TestFixture::spec.unit_weight[w].factor_slot;
    if (s >= 0) {
      EXPECT_EQ(after.slot[s], before.slot[s]);
    }
  }
}

TYPED_TEST(EachCell, ProductRunsCoverEachGateOnce) {
  const CellSpec& described = TestFixture::spec;
  int gate = 0;
  for (const ProductRun& run : product_runs(described)) {
    EXPECT_EQ(run.gate, gate);
    EXPECT_GE(run.count, 1);
    for (int i = 0; i < run.count; ++i) {
      EXPECT_EQ(described.slot[run.slot + i].recurrent, run.gate + i);
      EXPECT_EQ(described.slot[run.slot + i].operand, run.operand);
    }
    gate += run.count;
  }
  EXPECT_EQ(gate, described.recurrent_matrix ? described.gates : 0);
}

TEST(UnitOptions, SayWhatTheyActOn) {
  for (const UnitOption& option : unit_option_list) {
    UnitOptions options;
    EXPECT_FALSE(options.masks() || options.wrap());
    options.*option.rate = 0.5;
    EXPECT_EQ(options.masks(), option.masks) << option.name;
    EXPECT_EQ(options.wrap(), !option.masks) << option.name;
    const UnitDraws draws = unit_draws(options, 4, 0, true, 1, nullptr);
    EXPECT_EQ(draws.mask.on(), option.masks) << option.name;
    EXPECT_EQ(draws.wrap(), !option.masks) << option.name;
    EXPECT_TRUE(draws.on()) << option.name;
  }
}

TEST(UnitDraws, AreTheSameInTwoHalves) {
  constexpr int numbers = Wrapped<LstmCell>::numbers;
  for (const bool drops : {true, false}) {
    for (const UnitOption& option : unit_option_list) {
      UnitOptions options;
      options.*option.rate = 0.5;
      const UnitDraws draws = unit_draws(options, 16, 0, drops, 1, nullptr);
      for (std::uint32_t unit = 0; unit < 16; ++unit) {
        for (int i = 0; i < numbers; ++i) {
          const bool bit = draws.needs_bits() && draws.bit(i, 3, 2, unit);
          EXPECT_EQ(draws.number<double>(i, bit), draws.number<double>(i, 3, 2, unit))
              << option.name << (drops ? "" : ", mixed") << ", number " << i;
        }
      }
    }
  }
}

TEST(ListOfCells, HaveNamesOfTheirOwn) {
  std::vector<std::string> names;
  for (const Cell cell : all_cells) names.push_back(name_of(cell));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(ListOfCells, GruHasARunForItsLastGate) {
  const ProductRuns runs = product_runs(spec_of(Cell::gru));
  ASSERT_EQ(runs.count, 2);
  EXPECT_EQ(runs.run[1].gate, 2);
  EXPECT_EQ(runs.run[1].slot, 3);
  EXPECT_EQ(runs.run[1].operand, -1);
  EXPECT_EQ(product_runs(spec_of(Cell::lstm)).count, 1);
}

TEST(CellSpec, SaysWhatIsWrongWithIt) {
  const auto fault = [](auto spoil) {
    CellSpec spec = spec_of(Cell::gru_reset_before);
    spoil(spec);
    return std::string(fault_of(spec));
  };
  EXPECT_EQ(fault([](CellSpec&) {}), "");
  const auto expect_fault = [&](const char* field, auto spoil) {
    EXPECT_EQ(fault(spoil).rfind(std::string(field) + ": expected", 0), 0u)
        << field << ": " << fault(spoil);
  };
  expect_fault("name", [](CellSpec& spec) { spec.name = ""; });
  expect_fault("slots", [](CellSpec& spec) { spec.slots = 2; });
  expect_fault("slots", [](CellSpec& spec) { spec.slots = 6; });
  expect_fault("states", [](CellSpec& spec) { spec.states = 3; });
  expect_fault("unit_weights", [](CellSpec& spec) { spec.unit_weights = 4; });
  expect_fault("forget_gate", [](CellSpec& spec) { spec.forget_gate = 3; });
  expect_fault("slot.recurrent", [](CellSpec& spec) { spec.slot[1].recurrent = -1; });
  expect_fault("slot.recurrent", [](CellSpec& spec) { spec.recurrent_matrix = false; });
  expect_fault("slot.bias", [](CellSpec& spec) { spec.slot[1].bias = SlotBias::input; });
  expect_fault("slot.bias", [](CellSpec& spec) { spec.slot[0].bias = SlotBias::none; });
  expect_fault("slot.bias", [](CellSpec& spec) { spec.slot[3].bias = SlotBias::recurrent; });
  expect_fault("slot.operand", [](CellSpec& spec) { spec.slot[2].operand = 1; });
  expect_fault("unit_weight", [](CellSpec& spec) { spec.unit_weights = 1; });
  expect_fault("unit_weights", [](CellSpec& spec) {
    spec.recurrent_matrix = false;
    for (CellSlot& slot : spec.slot) slot = {.bias = slot.bias};
  });
}

}  // namespace
}  // namespace sluice::test
