// The option that "Add an option" in README.md adds, compiled with the files that its diff makes
// (tests/kernels/cells/plant_readme_option.sh).
#include <gtest/gtest.h>

#include <string>

#include "engine/recurrent.h"
#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"

namespace sluice::test {
namespace {

TEST(ReadmeOption, IsInTheListAndInTheConfiguration) {
  int listed = 0;
  for (const UnitOption& option : unit_option_list) {
    if (option.name != std::string("decay_h")) continue;
    ++listed;
    RecurrentConfig config;
    UnitOptions options;
    options.*option.rate = 0.25;
    config.set(options);
    EXPECT_EQ(config.decay_h, 0.25);
    EXPECT_EQ(config.unit_options().*option.rate, 0.25);
    EXPECT_TRUE(options.wrap());
    EXPECT_FALSE(options.masks());
  }
  EXPECT_EQ(listed, 1);
}

template <class C>
void expect_decay(const UnitDraws& draws) {
  Unit<C, double> plain = {}, decayed = {};
  for (auto* unit : {&plain, &decayed}) {
    for (double& sum : unit->slot) sum = 0.5;
    for (double& state : unit->previous) state = -0.25;
  }
  double drawn[Wrapped<C>::numbers];
  for (int i = 0; i < Wrapped<C>::numbers; ++i) drawn[i] = draws.number<double>(i, 1, 2, 3);
  C::forward(plain);
  Wrapped<C>::forward(decayed, drawn);
  ASSERT_NE(plain.state[0], 0.0);
  EXPECT_EQ(decayed.state[0], 0.75 * plain.state[0]);
  if constexpr (C::spec.has_cell_state()) {
    EXPECT_EQ(decayed.state[1], plain.state[1]);
  }
}

TEST(ReadmeOption, ActsOnEachCell) {
  UnitOptions options;
  options.decay_h = 0.25;
  for (const bool drops : {true, false}) {
    const UnitDraws draws = unit_draws(options, 4, 0, drops, 1, nullptr);
    EXPECT_TRUE(draws.wrap());
    for (const Cell cell : all_cells) {
      SCOPED_TRACE(name_of(cell));
      with_cell(cell, [&]<class C>(C) { expect_decay<C>(draws); });
    }
  }
}

// Zoneout of h and of c beside it: their numbers are what they are without it.
TEST(ReadmeOption, LeavesTheOthersNumbers) {
  UnitOptions options;
  options.zoneout_h = options.zoneout_c = 0.5;
  const UnitDraws alone = unit_draws(options, 16, 0, true, 1, nullptr);
  options.decay_h = 0.25;
  const UnitDraws both = unit_draws(options, 16, 0, true, 1, nullptr);
  for (std::uint32_t unit = 0; unit < 16; ++unit) {
    for (const int i : {0, 1}) {
      EXPECT_EQ(both.number<double>(i, 3, 2, unit), alone.number<double>(i, 3, 2, unit));
    }
    for (const int i : {0, 1, 2}) {
      EXPECT_EQ(both.number<double>(i, both.bit(i, 3, 2, unit)),
                both.number<double>(i, 3, 2, unit));
    }
  }
}

}  // namespace
}  // namespace sluice::test
