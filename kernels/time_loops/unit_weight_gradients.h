// Gradients of a cell's unit weights (CellSpec::unit_weights): peepholes, a diagonal R.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"
#include "kernels/cells/list.h"

namespace sluice {

/// out[p, u] = sum over rows i of the gradient in slot unit_weight[p].slot times that weight's
/// factor, and times the row's mask where one acts on the weight; zeros if there are
/// no rows. Rows are summed in fixed chunks of state_type(type), the chunks' sums in double.
struct UnitWeightGradientsArgs {
  Cell cell = default_cell;
  DataType type = DataType::float32;
  Sequences sequences;
  bool reverse = false;
  std::int64_t first_row = 0;       ///< of the packed rows that are summed,
  std::int64_t rows = 0;            ///< first_row + rows <= N
  std::int64_t hidden_size = 0;     ///< H
  const void* gates = nullptr;      ///< [rows, S*H] as backward left it
  const void* h = nullptr;          ///< [N, ldh]; for a factor h, as h_initial
  std::int64_t ldh = 0;             ///< >= H, in elements
  const void* c = nullptr;          ///< [N, H]; for a factor c, as c_initial
  const void* h_initial = nullptr;  ///< [B, H] of state_type(type), in sorted order
  const void* c_initial = nullptr;  ///< [B, H] likewise
  const void* mask = nullptr;       ///< [G, B, H] of UnitDraws::mask, which a cell with a
                                    ///< recurrent matrix does not read; null without
  bool add = false;                 ///< to what `out` holds; else that is overwritten
  void* out = nullptr;              ///< [P, H] of state_type(type)
  void* workspace = nullptr;        ///< 16-byte aligned; free again afterwards
  std::size_t workspace_bytes = 0;  ///< at least unit_weight_gradients_workspace_bytes()
};

/// Errors: usage if the cell has no unit weights, on a negative size, a null pointer that the cell
/// needs, a stride shorter than its row or too small a workspace.
void unit_weight_gradients(const Queue& queue, const UnitWeightGradientsArgs& args);

/// Enough for every smaller `rows` too; 0 for a cell without unit weights.
std::size_t unit_weight_gradients_workspace_bytes(Cell cell, DataType type, std::int64_t rows,
                                                  std::int64_t hidden_size);

namespace cpu {
void unit_weight_gradients(const Queue&, const UnitWeightGradientsArgs&);
}  // namespace cpu
namespace cuda {
void unit_weight_gradients(const Queue&, const UnitWeightGradientsArgs&);
}  // namespace cuda

}  // namespace sluice
