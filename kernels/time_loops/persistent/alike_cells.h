// Cells that differ in their equations alone share a kernel, which is told at run time whose
// equations to take (RNN with tanh and with ReLU). Only for .cu files.
#pragma once

#include "kernels/cells/list.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {

template <class...>
struct CellTypes {};
#define SLUICE_NEXT_TYPE(name, type) , type
using ListedCells = CellTypes<void SLUICE_CELLS(SLUICE_NEXT_TYPE)>;
#undef SLUICE_NEXT_TYPE

/// The first cell of the list that is like C: its type names their kernel; and how many they are.
template <class C, class List = ListedCells>
struct AlikeCells;
template <class C, class Nothing, class... Cells>
struct AlikeCells<C, CellTypes<Nothing, Cells...>> {
  static constexpr int count = (alike(Cells::spec, C::spec) + ...);

  template <class First, class... Others>
  static auto first(CellTypes<First, Others...>) {
    if constexpr (alike(First::spec, C::spec)) {
      return First();
    } else {
      return first(CellTypes<Others...>());
    }
  }
  using First = decltype(first(CellTypes<Cells...>()));
};

/// Calls use(D(), unit of D) for the cell D like C that `cell` is, and gives back what that left.
template <class C, class Use>
__device__ __forceinline__ void with_equations(sluice::Cell cell, Unit<C, float>& u, Use use) {
  if constexpr (AlikeCells<C>::count == 1) {
    use(C(), u);
  } else {
    const auto as = [&]<class D>(D) {
      Unit<D, float> of_cell = {};
      const auto copy = [](auto& to, const auto& from) {
        for_each_index<C::spec.slots>([&](auto s) { to.slot[s] = from.slot[s]; });
        for_each_index<C::spec.states>([&](auto i) {
          to.previous[i] = from.previous[i];
          to.state[i] = from.state[i];
          to.d_state[i] = from.d_state[i];
        });
        for_each_index<C::spec.unit_weights>([&](auto w) { to.weight[w] = from.weight[w]; });
      };
      copy(of_cell, u);
      use(D(), of_cell);
      copy(u, of_cell);
    };
#define SLUICE_USE_IF_IT_IS(name, type)     \
  if constexpr (alike(type::spec, C::spec)) \
    if (cell == sluice::Cell::name) as(type());
    SLUICE_CELLS(SLUICE_USE_IF_IT_IS)
#undef SLUICE_USE_IF_IT_IS
  }
}

}  // namespace sluice::cuda
