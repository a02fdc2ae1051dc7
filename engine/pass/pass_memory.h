// How a pass divides the two pieces of memory it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/choice/pass_schedule.h"
#include "engine/loops/carver.h"
#include "engine/loops/time_loop.h"
#include "engine/recurrent.h"

namespace sluice {

/// What a direction of a layer leaves for its backward pass.
struct DirectionReserve {
  void* gates = nullptr;  ///< [N, S*H], or of the largest chunk's rows without training
  void* c = nullptr;      ///< [N, H] of a cell with c
};

/// Kept from forward to backward. Without training the layers share one DirectionReserve for each
/// that is alive at once, large enough for a chunk, and take turns with two outputs, and all of it
/// lies in the workspace.
struct PassReserve {
  std::vector<void*> dropped_input;  ///< [L] input after dropout; null without dropout
  std::vector<void*> output;         ///< [L] [N, D*H]; the last is the caller's y: null

  /// `drops`: whether a training pass does.
  PassReserve(Carver& carver, const RecurrentConfig& config, const PassSchedule& schedule,
              const PassShape& shape, bool training, bool drops = true);

  /// Of direction `index`, which works in part `part` of the workspace.
  const DirectionReserve& of(int index, int part) const {
    return directions_[training_ ? index : part];
  }

 private:
  bool training_;
  std::vector<DirectionReserve> directions_;  // [L*D]; without training as many as there are parts
};

/// For one direction at a time, in either pass. States, their gradients, the bias and its gradient
/// are of state_type(data_type), as in kernels/time_loops/recurrence.h.
struct DirectionWorkspace {
  LoopMemory loop;
  void* bias = nullptr;     ///< [S*H]
  void* h_state = nullptr;  ///< [B, H]
  void* c_state = nullptr;  ///< [B, H] of a cell with c
  void* mask = nullptr;     ///< [G, B, H] of UnitDraws::mask, where the loop or backward reads it
  void* shared_gates = nullptr;  ///< [U, G*H] product of a shared input, or its gradient
  // Backward alone:
  void* dh_state = nullptr;  ///< [B, H]
  void* dc_state = nullptr;  ///< [B, H] of a cell with c
  void* previous = nullptr;  ///< [rows of the largest chunk, H], where there is a recurrent matrix
  void* d_bias = nullptr;    ///< [S*H]
  void* column_sum = nullptr;
  std::size_t column_sum_bytes = 0;
  void* unit_weight_sums = nullptr;  ///< of a cell with unit weights
  std::size_t unit_weight_sums_bytes = 0;
  void* shared_sum = nullptr;  ///< with a shared input
  std::size_t shared_sum_bytes = 0;
  void* wide_shared_gates = nullptr;  ///< 16-bit: shared_gates' gradient before it is rounded
};

struct PassWorkspace {
  /// A part for each direction that is alive at once, but that layers share what serves the shared
  /// input, which is the first layer's alone, and directions of one launch what comes before and
  /// after it.
  std::vector<DirectionWorkspace> parts;
  void* d_output[2] = {};  ///< [N, D*H] gradients between layers, by turns

  /// For the pass that `loop` was made for.
  PassWorkspace(Carver& carver, const TimeLoop& loop, const PassSchedule& schedule,
                const PassShape& shape);
};

}  // namespace sluice
