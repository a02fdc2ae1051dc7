// A cell's equations for a pack of units, with the unit options around them. Only *_simd.cpp files
// include this.
#pragma once

#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"
#include "kernels/simd/activation.h"
#include "kernels/simd/pack_number.h"

namespace sluice::SLUICE_ISA {

/// A row at a step, as zoneout draws for it.
struct ZoneoutRow {
  const ZoneoutDraws& draws;
  std::int32_t step, row;  ///< the caller's row
};

inline std::int32_t callers_row(const std::int32_t* order, std::int64_t row) {
  return order == nullptr ? static_cast<std::int32_t>(row) : order[row];
}

/// Zoneout's factors of the units from `unit` on; not inline, since it is long and rarely called.
template <class T>
__attribute__((noinline)) void put_taken(const ZoneoutRow& at, int state, std::int64_t unit,
                                         T* lanes) {
  const ZoneoutDraws draws = at.draws;
  for (int i = 0; i < Pack<T>::width; ++i) {
    lanes[i] =
        draws.taken<T>(state, static_cast<std::uint32_t>(at.step),
                       static_cast<std::uint32_t>(at.row), static_cast<std::uint32_t>(unit + i));
  }
}

/// The cell, or with `zones_out` Zoneout of it, for the units from `unit` on.
template <class C, bool zones_out, class T>
struct UnitPack {
  using P = Pack<T>;
  using Units = Unit<C, P>;
  static constexpr int states = C::spec.states;

  SLUICE_INLINE static void forward(Units& units, [[maybe_unused]] const ZoneoutRow& at,
                                    [[maybe_unused]] std::int64_t unit) {
    if constexpr (zones_out) {
      P taken[states];
      take(at, unit, taken);
      Zoneout<C>::forward(units, taken);
    } else {
      C::forward(units);
    }
  }

  SLUICE_INLINE static void backward(Units& units, [[maybe_unused]] const ZoneoutRow& at,
                                     [[maybe_unused]] std::int64_t unit) {
    if constexpr (zones_out) {
      P taken[states];
      take(at, unit, taken);
      Zoneout<C>::backward(units, taken);
    } else {
      C::backward(units);
    }
  }

 private:
  SLUICE_INLINE static void take(const ZoneoutRow& at, std::int64_t unit, P (&taken)[states]) {
    for_each_index<states>([&](auto s) {
      alignas(64) T lanes[P::width];
      put_taken(at, s, unit, lanes);
      taken[s] = P::load(lanes);
    });
  }
};

}  // namespace sluice::SLUICE_ISA
