// What can be done to the units of any cell: options that wrap its equations or what enters R.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/dropout_factor.h"
#include "kernels/cells/cell.h"

namespace sluice {

/// All are off at 0, each rate is in [0, 1).
struct UnitOptions {
  /// On h_prev where it enters R: a mask for each gate, constant over time, scaled by 1/(1-p);
  /// training passes only (Gal & Ghahramani 2016; Keras).
  double recurrent_dropout = 0.0;
  /// Zoneout (Krueger et al. 2017): at each step a unit keeps its h, its c, of the step before with
  /// this probability in training; evaluation mixes the two by the rate. Both are drawn apart, and
  /// h is made from the c of the cell's own equations, as in the paper. zoneout_c: cells with c
  /// alone.
  double zoneout_h = 0.0;
  double zoneout_c = 0.0;

  /// Whether one is on that masks what enters R; see UnitDraws::mask.
  constexpr bool masks() const { return some(true); }
  /// Whether one is on that acts on the cells' equations; see Wrapped.
  constexpr bool wrap() const { return some(false); }

 private:
  constexpr bool some(bool that_masks) const;
};

/// An option by name, as files, configurations and command lines have it.
struct UnitOption {
  using Rate = double UnitOptions::*;

  const char* name;
  Rate rate;
  int states;           ///< that a cell must have for it
  const char* meaning;  ///< for people
  const char* words;    ///< for people, within a sentence
  bool masks = false;   ///< it masks what enters R; else it acts on the cells' equations
  /// Whether model files name it even where it is off, as readers of their first version expect.
  bool in_every_file = false;
};
inline constexpr UnitOption unit_option_list[] = {
    {"recurrent_dropout", &UnitOptions::recurrent_dropout, 1,
     "Dropout on the hidden state where it re-enters the cell", "dropout on the recurrent state",
     true, true},
    {"zoneout_h", &UnitOptions::zoneout_h, 1,
     "Zoneout: part of the units that keep the hidden state of the step before",
     "zoneout of the hidden state"},
    {"zoneout_c", &UnitOptions::zoneout_c, 2,
     "Zoneout: part of the units that keep the cell state of the step before",
     "zoneout of the cell state"},
};

constexpr bool UnitOptions::some(bool that_masks) const {
  for (const UnitOption& option : unit_option_list) {
    if (option.masks == that_masks && this->*option.rate > 0.0) return true;
  }
  return false;
}

/// Zoneout as the launches of a direction take it. The number for state s (0 h, 1 c) of a unit at a
/// step of a row is `random`'s for (step, row in the caller's order, s * H + unit).
struct ZoneoutDraws {
  float rate[2] = {0.0f, 0.0f};  ///< of h, of c
  bool drops = true;             ///< false: mixes, as in evaluation
  std::uint32_t hidden_size = 0;
  RandomStream random = {};

  SLUICE_HOST_DEVICE bool on() const { return rate[0] > 0.0f || rate[1] > 0.0f; }

  /// How much of the new state a unit takes: 1 or 0 where it drops, else 1 - rate.
  template <class T>
  SLUICE_HOST_DEVICE T taken(int state, std::uint32_t step, std::uint32_t row,
                             std::uint32_t unit) const {
    return taken<T>(state, !drops || takes(state, step, row, unit));
  }
  /// The same in two halves: the draw, where it drops, and what follows from it.
  SLUICE_HOST_DEVICE bool takes(int state, std::uint32_t step, std::uint32_t row,
                                std::uint32_t unit) const {
    const auto number = static_cast<std::uint32_t>(state) * hidden_size + unit;
    return rate[state] == 0.0f || keeps(random.word(step, row, number), rate[state]);
  }
  template <class T>
  SLUICE_HOST_DEVICE T taken(int state, bool takes) const {
    return !drops ? T(1) - T(rate[state]) : takes ? T(1) : T(0);
  }
};

/// A mask on what enters R for gate g, the same at every step: the number is `random`'s for (0, row
/// in the caller's order, g * H + unit); scale() if it is kept, else 0. [G, B, H] where it is an
/// array.
struct RecurrentMaskDraws {
  double rate = 0.0;  ///< of zeros
  RandomStream random = {};

  SLUICE_HOST_DEVICE bool on() const { return rate > 0.0; }
  double scale() const { return 1.0 / (1.0 - rate); }
};

/// What a pass of one direction draws for its options.
struct UnitDraws {
  RecurrentMaskDraws mask;
  ZoneoutDraws zoneout;

  SLUICE_HOST_DEVICE bool on() const { return mask.on() || wrap(); }
  /// Whether the cells' equations run within Wrapped, as one of the options needs.
  SLUICE_HOST_DEVICE bool wrap() const { return zoneout.on(); }

  /// Number i of what Wrapped takes, of Wrapped::numbers: 0 and 1 are zoneout's, of h and of c.
  template <class T>
  SLUICE_HOST_DEVICE T number(int i, std::uint32_t step, std::uint32_t row,
                              std::uint32_t unit) const {
    return zoneout.taken<T>(i, step, row, unit);
  }
  /// The same in two halves, for those who draw for many units before they need the numbers: where
  /// bits are needed, the bit, and the number by it; where they are not, by false.
  SLUICE_HOST_DEVICE bool needs_bits() const { return zoneout.on() && zoneout.drops; }
  SLUICE_HOST_DEVICE bool bit(int i, std::uint32_t step, std::uint32_t row,
                              std::uint32_t unit) const {
    return !zoneout.takes(i, step, row, unit);
  }
  template <class T>
  SLUICE_HOST_DEVICE T number(int i, bool bit) const {
    return zoneout.taken<T>(i, !bit);
  }
};

/// `direction_index`: layer * D + direction. `step`: device, of training; null means 0. Without
/// `drops` nothing is dropped, and zoneout mixes.
inline UnitDraws unit_draws(const UnitOptions& options, std::int64_t hidden_size,
                            int direction_index, bool drops, std::uint64_t seed,
                            const std::uint32_t* step) {
  const auto direction = static_cast<std::uint32_t>(direction_index);
  UnitDraws draws;
  if (drops) {
    draws.mask = {options.recurrent_dropout, {seed, direction * 2 + 1, step}};
  }
  draws.zoneout = {
      .rate = {static_cast<float>(options.zoneout_h), static_cast<float>(options.zoneout_c)},
      .drops = drops,
      .hidden_size = static_cast<std::uint32_t>(hidden_size),
      .random = {seed, direction * 4 + 2, step}};
  return draws;
}

/// Units that may keep their states, in what comes before and after their cell's equations: `taken`
/// as ZoneoutDraws gives it, for each state.
template <class C>
struct Zoneout {
  static constexpr int states = C::spec.states;

  template <class T, int numbers>
  SLUICE_HOST_DEVICE static void mix(Unit<C, T>& u, const T (&taken)[numbers]) {
    for_each_index<states>(
        [&](auto s) { u.state[s] = taken[s] * u.state[s] + (T(1) - taken[s]) * u.previous[s]; });
  }
  /// `u.state` need not be set: it is made again from what forward kept.
  template <class T, int numbers>
  SLUICE_HOST_DEVICE static void split(Unit<C, T>& u, const T (&taken)[numbers],
                                       T (&kept)[states]) {
    if constexpr (C::spec.has_cell_state()) C::restate(u);
    for_each_index<states>([&](auto s) {
      kept[s] = (T(1) - taken[s]) * u.d_state[s];
      u.d_state[s] = taken[s] * u.d_state[s];
    });
  }
  template <class T>
  SLUICE_HOST_DEVICE static void join(Unit<C, T>& u, const T (&kept)[states]) {
    for_each_index<states>([&](auto s) { u.d_state[s] = u.d_state[s] + kept[s]; });
  }
};

/// A cell within the options that act on its units' equations, where UnitDraws::wrap() says so.
/// Time loops draw the numbers, `numbers` for each unit, by UnitDraws::number.
template <class C>
struct Wrapped {
  static constexpr int numbers = C::spec.states;
  /// That pass from before to after backward's equations.
  static constexpr int kept_numbers = C::spec.states;

  // What comes before and after the cell's equations, for those who know at run time alone whether
  // it does.
  template <class T>
  SLUICE_HOST_DEVICE static void after_forward(Unit<C, T>& u, const T (&drawn)[numbers]) {
    Zoneout<C>::mix(u, drawn);
  }
  /// `u.state` need not be set.
  template <class T>
  SLUICE_HOST_DEVICE static void before_backward(Unit<C, T>& u, const T (&drawn)[numbers],
                                                 T (&kept)[kept_numbers]) {
    Zoneout<C>::split(u, drawn, kept);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void after_backward(Unit<C, T>& u, const T (&kept)[kept_numbers]) {
    Zoneout<C>::join(u, kept);
  }

  template <class T>
  SLUICE_HOST_DEVICE static void forward(Unit<C, T>& u, const T (&drawn)[numbers]) {
    C::forward(u);
    after_forward(u, drawn);
  }
  template <class T>
  SLUICE_HOST_DEVICE static void backward(Unit<C, T>& u, const T (&drawn)[numbers]) {
    T kept[kept_numbers];
    before_backward(u, drawn, kept);
    C::backward(u);
    after_backward(u, kept);
  }
};

}  // namespace sluice
