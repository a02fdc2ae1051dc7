// Moves of the recurrent state beside the cell step: the unit options' masks on it, and the
// state before each row of a sequence, for the gradient of R.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"

namespace sluice {

// Carried states and their gradients are of state_type(type), the rest of `type`.

/// out[g, b, u] = mask[g, b, u] * h[b, u]: what enters a step's products.
struct MaskStateArgs {
  DataType type = DataType::float32;
  std::int64_t planes = 0;       ///< G
  std::int64_t batch = 0;        ///< B
  std::int64_t hidden_size = 0;  ///< H
  const void* mask = nullptr;    ///< [G, B, H]; null: h is only rounded
  const void* h = nullptr;       ///< [B, H] of state_type(type)
  void* out = nullptr;           ///< [G, B, H]
};

/// dh[b, u] += sum over g of mask[g, b, u] * d_masked[g, b, u], for b in [0, rows): its transpose.
struct UnmaskGradientArgs {
  DataType type = DataType::float32;
  std::int64_t planes = 0;
  std::int64_t rows = 0;   ///< <= B
  std::int64_t batch = 0;  ///< B
  std::int64_t hidden_size = 0;
  const void* mask = nullptr;      ///< [G, B, H]
  const void* d_masked = nullptr;  ///< [G, B, H] of state_type(type)
  void* dh = nullptr;              ///< [B, H] of state_type(type)
};

/// out[i] = state before packed row first_row + i: h of the step before in this direction, or the
/// row's initial state where it begins; times the row's mask if there is one.
struct PreviousStatesArgs {
  DataType type = DataType::float32;
  Sequences sequences;
  bool reverse = false;
  std::int64_t first_row = 0;
  std::int64_t rows = 0;  ///< first_row + rows <= N
  std::int64_t hidden_size = 0;
  const void* h = nullptr;  ///< [N, ldh]
  std::int64_t ldh = 0;
  const void* h_initial = nullptr;  ///< [B, H] of state_type(type), in sorted order
  const void* mask = nullptr;       ///< [B, H] one gate's; may be null
  void* out = nullptr;              ///< [rows, H]
};

/// Errors: usage on a null pointer.
void mask_state(const Queue& queue, const MaskStateArgs& args);
void unmask_gradient(const Queue& queue, const UnmaskGradientArgs& args);
void previous_states(const Queue& queue, const PreviousStatesArgs& args);

namespace cpu {
void mask_state(const Queue&, const MaskStateArgs&);
void unmask_gradient(const Queue&, const UnmaskGradientArgs&);
void previous_states(const Queue&, const PreviousStatesArgs&);
}  // namespace cpu
namespace cuda {
void mask_state(const Queue&, const MaskStateArgs&);
void unmask_gradient(const Queue&, const UnmaskGradientArgs&);
void previous_states(const Queue&, const PreviousStatesArgs&);
}  // namespace cuda

}  // namespace sluice
