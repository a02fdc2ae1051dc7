// The one list of cells: a name for run time, a type for compile time.
//
// Public API.
#pragma once

#include "kernels/cells/gru.h"
#include "kernels/cells/indrnn.h"
#include "kernels/cells/lstm.h"
#include "kernels/cells/lstm_coupled.h"
#include "kernels/cells/lstm_peephole.h"
#include "kernels/cells/rnn.h"

/// A line a cell: its name, and the type that is it.
///   gru               reset after the product: PyTorch, cuDNN, Keras' reset_after=True
///   gru_reset_before  reset before the product: Cho et al. 2014, Keras' reset_after=False
#define SLUICE_CELLS(CELL)                   \
  CELL(rnn_tanh, RnnCell<false>)             \
  CELL(rnn_relu, RnnCell<true>)              \
  CELL(lstm, LstmCell)                       \
  CELL(gru, GruCell)                         \
  CELL(gru_reset_before, GruResetBeforeCell) \
  CELL(lstm_peephole, LstmPeepholeCell)      \
  CELL(lstm_coupled, LstmCoupledCell)        \
  CELL(indrnn, IndRnnCell)

namespace sluice {

#define SLUICE_NAME_CELL(name, type) name,
enum class Cell { SLUICE_CELLS(SLUICE_NAME_CELL) };
#undef SLUICE_NAME_CELL

#define SLUICE_CELL_OF_LIST(name, type) Cell::name,
inline constexpr Cell all_cells[] = {SLUICE_CELLS(SLUICE_CELL_OF_LIST)};
#undef SLUICE_CELL_OF_LIST

/// Of configurations and arguments that name none.
inline constexpr Cell default_cell = Cell::lstm;

/// Calls use(type()) with the type of `cell`: with_cell(cell, [&]<class C>(C) { ... }).
template <class Use>
constexpr decltype(auto) with_cell(Cell cell, Use&& use) {
  switch (cell) {
#define SLUICE_CASE_OF_CELL(name, type)                                       \
  case Cell::name:                                                            \
    static_assert(CellType<type>, "cells/cell.h says what a cell must have"); \
    return use(type());
    SLUICE_CELLS(SLUICE_CASE_OF_CELL)
#undef SLUICE_CASE_OF_CELL
  }
  __builtin_unreachable();
}

constexpr const CellSpec& spec_of(Cell cell) {
  return with_cell(cell, []<class C>(C) -> const CellSpec& { return C::spec; });
}

/// G, S and whether there is a c; see CellSpec.
constexpr int gate_count(Cell cell) { return spec_of(cell).gates; }
constexpr int slot_count(Cell cell) { return spec_of(cell).slots; }
constexpr bool has_cell_state(Cell cell) { return spec_of(cell).has_cell_state(); }
constexpr const char* name_of(Cell cell) { return spec_of(cell).name; }

}  // namespace sluice
