// A cell's equations for a pack of units, with the unit options around them. Only *_simd.cpp files
// include this.
#pragma once

#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"
#include "kernels/simd/activation.h"
#include "kernels/simd/pack_number.h"

namespace sluice::SLUICE_ISA {

/// A row at a step, as the options draw for it.
struct DrawnRow {
  const UnitDraws& draws;
  std::int32_t step, row;  ///< the caller's row
};

inline std::int32_t callers_row(const std::int32_t* order, std::int64_t row) {
  return order == nullptr ? static_cast<std::int32_t>(row) : order[row];
}

/// Number `number` of the units from `unit` on; not inline, since it is long and rarely called.
template <class T>
__attribute__((noinline)) void put_numbers(const DrawnRow& at, int number, std::int64_t unit,
                                           T* lanes) {
  const UnitDraws draws = at.draws;
  for (int i = 0; i < Pack<T>::width; ++i) {
    lanes[i] =
        draws.number<T>(number, static_cast<std::uint32_t>(at.step),
                        static_cast<std::uint32_t>(at.row), static_cast<std::uint32_t>(unit + i));
  }
}

/// The cell, or with `wrap` Wrapped, for the units from `unit` on.
template <class C, bool wrap, class T>
struct UnitPack {
  using P = Pack<T>;
  using Units = Unit<C, P>;
  static constexpr int numbers = Wrapped<C>::numbers;

  SLUICE_INLINE static void forward(Units& units, [[maybe_unused]] const DrawnRow& at,
                                    [[maybe_unused]] std::int64_t unit) {
    if constexpr (wrap) {
      P drawn[numbers];
      draw(at, unit, drawn);
      Wrapped<C>::forward(units, drawn);
    } else {
      C::forward(units);
    }
  }

  SLUICE_INLINE static void backward(Units& units, [[maybe_unused]] const DrawnRow& at,
                                     [[maybe_unused]] std::int64_t unit) {
    if constexpr (wrap) {
      P drawn[numbers];
      draw(at, unit, drawn);
      Wrapped<C>::backward(units, drawn);
    } else {
      C::backward(units);
    }
  }

 private:
  SLUICE_INLINE static void draw(const DrawnRow& at, std::int64_t unit, P (&drawn)[numbers]) {
    for_each_index<numbers>([&](auto i) {
      alignas(64) T lanes[P::width];
      put_numbers(at, i, unit, lanes);
      drawn[i] = P::load(lanes);
    });
  }
};

}  // namespace sluice::SLUICE_ISA
