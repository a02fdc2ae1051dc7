// The element-wise half of one time step: gates in, state out, and back.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"

namespace sluice {

// Of state_type(type), float32 for 16-bit types, are the bias and the states that are carried from
// step to step (h_state, c_state, h_initial, c_initial, dh_state, dc_state) and dq; all other
// arrays are of `type`. The mathematics is done in state_type(type).

/// Forward, rows [0, rows) of one step of one direction. `gates` already holds what is added up in
/// each slot, without the bias (CellSpec::slot).
struct CellStepForwardArgs {
  Cell cell = default_cell;
  DataType type = DataType::float32;
  std::int64_t rows = 0;         ///< rows alive at this step, <= B
  std::int64_t batch = 0;        ///< B, the stride between gates of the two mask arrays
  std::int64_t hidden_size = 0;  ///< H
  void* gates = nullptr;         ///< [rows, S*H] in: pre-activations; out: activated
  const void* bias = nullptr;    ///< [S*H] see kernels/cells/combined_bias.h; may be null
  void* h_state = nullptr;       ///< [B, H] in: h_prev; out: h, rows [0, rows) only
  void* c_state = nullptr;       ///< [B, H] likewise c, of a cell that has one
  void* c = nullptr;             ///< [rows, H] c kept for backward; null if not training
  void* h = nullptr;             ///< [rows, ldh] where the layer's output goes; may be null
  std::int64_t ldh = 0;
  const void* mask = nullptr;  ///< [G, B, H] of UnitDraws::mask; null without. On what enters R, or
                               ///< without a recurrent matrix on the unit weights
  void* h_operand = nullptr;   ///< out: h as it enters the next step's products. With a mask
                               ///< [G, B, H] mask * h; without one [B, H] h itself, which only a
                               ///< 16-bit type needs, and may be null. Not written for a cell
                               ///< without a recurrent matrix
  const void* unit_weights = nullptr;   ///< [P, H] of a cell that has any
  UnitDraws draws = {};                 ///< of the unit options; their mask is `mask`
  std::int32_t step = 0;                ///< t, for the draws
  const std::int32_t* order = nullptr;  ///< [B] the caller's row of each; null: as given
};

/// A cell of two phases (CellSpec::two_phases) runs as two launches around the product of its
/// operand slot; every other cell as one.
enum class CellPhase {
  whole,
  operand,  ///< the slots before that product, and what enters it
  output,   ///< the rest, and the state
};
void cell_step_forward(const Queue& queue, const CellStepForwardArgs& args,
                       CellPhase phase = CellPhase::whole);

/// Backward of the same step.
struct CellStepBackwardArgs {
  Cell cell = default_cell;
  DataType type = DataType::float32;
  std::int64_t rows = 0;
  std::int64_t batch = 0;
  std::int64_t hidden_size = 0;
  void* gates = nullptr;             ///< [rows, S*H] in: as forward left it; out: gradients
  const void* h_previous = nullptr;  ///< [previous_rows, ldh] h of the step before, of a cell
                                     ///< that reads_previous_h
  std::int64_t ldh = 0;
  const void* c_previous = nullptr;  ///< [previous_rows, H] c of the step before, of a cell that
                                     ///< has one, as the next four c
  std::int64_t previous_rows = 0;    ///< rows at or past it begin here, from the initial state
  const void* h_initial = nullptr;   ///< [B, H]
  const void* c_initial = nullptr;   ///< [B, H]
  const void* c = nullptr;           ///< [rows, H] c of this step
  const void* dy = nullptr;          ///< [rows, lddy] gradient by this layer's output; may be null
  std::int64_t lddy = 0;
  void* dh_state = nullptr;    ///< [B, H] in: gradient by h from later steps; out: the part by
                               ///< h_prev that does not pass through R
  void* dc_state = nullptr;    ///< [B, H] gradient by c in, by c_prev out
  const void* mask = nullptr;  ///< [G, B, H] as in forward
  const void* dq = nullptr;    ///< [rows, H] phase operand: gradient by the operand slot
  const void* unit_weights = nullptr;  ///< as in forward, as the next three
  UnitDraws draws = {};
  std::int32_t step = 0;
  const std::int32_t* order = nullptr;
};
/// Of two phases output is first, then operand, which adds to dh_state.
void cell_step_backward(const Queue& queue, const CellStepBackwardArgs& args,
                        CellPhase phase = CellPhase::whole);

namespace cpu {
void cell_step_forward(const Queue&, const CellStepForwardArgs&, CellPhase);
void cell_step_backward(const Queue&, const CellStepBackwardArgs&, CellPhase);
}  // namespace cpu
namespace cuda {
void cell_step_forward(const Queue&, const CellStepForwardArgs&, CellPhase);
void cell_step_backward(const Queue&, const CellStepBackwardArgs&, CellPhase);
}  // namespace cuda

}  // namespace sluice
