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

/// The cell, within Wrapped if `wraps`, which is UnitDraws::wrap(), for the units from `unit` on.
template <class C, class T>
struct UnitPack {
  using P = Pack<T>;
  using Units = Unit<C, P>;
  using W = Wrapped<C>;

  SLUICE_INLINE static void forward(Units& units, bool wraps, const DrawnRow& at,
                                    std::int64_t unit) {
    C::forward(units);
    if (!wraps) return;
    P drawn[W::numbers];
    draw(at, unit, drawn);
    W::after_forward(units, drawn);
  }

  SLUICE_INLINE static void backward(Units& units, bool wraps, const DrawnRow& at,
                                     std::int64_t unit) {
    P kept[W::kept_numbers];
    if (wraps) {
      P drawn[W::numbers];
      draw(at, unit, drawn);
      W::before_backward(units, drawn, kept);
    }
    C::backward(units);
    if (wraps) W::after_backward(units, kept);
  }

 private:
  SLUICE_INLINE static void draw(const DrawnRow& at, std::int64_t unit, P (&drawn)[W::numbers]) {
    for_each_index<W::numbers>([&](auto i) {
      alignas(64) T lanes[P::width];
      put_numbers(at, i, unit, lanes);
      drawn[i] = P::load(lanes);
    });
  }
};

}  // namespace sluice::SLUICE_ISA
