// The gradients that wait until the time loop is over: one product each over the rows of a chunk.
#pragma once

#include "engine/choice/step_chunks.h"
#include "engine/pass/direction.h"
#include "engine/pass/pass_memory.h"

namespace sluice {

/// Pointers to whole arrays, except `gates`, which begins with the chunk's first row.
struct WeightGradientArgs {
  Sequences sequences;
  StepChunk chunk;
  bool add = false;             ///< to what d_parameters holds, or overwrite it
  const void* gates = nullptr;  ///< [chunk.rows, S*H] gradients by the pre-activations
  const void* h = nullptr;      ///< [N, ldh] the direction's output
  std::int64_t ldh = 0;
  const void* c = nullptr;          ///< [N, H] the direction's c, of a cell that has one
  const void* h_initial = nullptr;  ///< [B, H] sorted, of state_type, as c_initial
  const void* c_initial = nullptr;
  const void* mask = nullptr;  ///< [G, B, H] or null
  void* d_parameters =
      nullptr;  ///< the flat buffer of state_type; this direction's part is written
};
/// weight_hh and unit weights; weight_ih has its own in engine/pass/input_product.h.
void weight_gradients(const Queue& queue, const Direction& direction,
                      const WeightGradientArgs& args, const DirectionWorkspace& workspace);

/// bias_ih and bias_hh, from the gradients by the pre-activations `gates` [rows, S*H] of all rows.
void bias_gradients(const Queue& queue, const Direction& direction, const void* gates,
                    std::int64_t rows, void* d_parameters, const DirectionWorkspace& workspace);

}  // namespace sluice
