// A run of time steps of one direction of one layer in one launch: the CPU's persistent kernel.
//
// The batch is cut into blocks of rows; a thread takes a block through the steps without a
// barrier, with the recurrent weights packed once a pass so that they stream from its cache, and
// the cell's element-wise part done while the products are still in registers or L1. Where the
// weights outgrow a core's cache, threads share a block's units instead and meet at each step. A
// row that has ended costs nothing.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"
#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"

namespace sluice {

/// Of the arrays below, these are of state_type(shape.type), float32 for a 16-bit type: h_state,
/// c_state, h_initial, c_initial, dh_state, dc_state and bias. All others are of shape.type: where
/// h enters a product it is rounded, while the carried states are not. The CPU's launches here take
/// float32 and float64.
struct RecurrenceShape {
  Cell cell = default_cell;
  DataType type = DataType::float32;
  std::int64_t hidden_size = 0;  ///< H
  MatrixMath math = MatrixMath::ieee;
};

/// Bytes of packed weights, for the forward or the backward pass; 0 without a recurrent matrix.
std::size_t recurrence_weight_bytes(const RecurrenceShape& shape);
/// Bytes of scratch for a batch of B rows, for either pass.
std::size_t recurrence_scratch_bytes(const RecurrenceShape& shape, std::int64_t batch);

/// How many of a team of threads share a row's units: 1 where each thread takes rows of its own.
int recurrence_members(const RecurrenceShape& shape, std::int64_t batch, int threads);

/// Arrangement of `packed` is private to these launches: weight_hh [G*H, H] in, packed out.
void pack_forward_weights(const Queue& queue, const RecurrenceShape& shape, const void* weight_hh,
                          void* packed);
void pack_backward_weights(const Queue& queue, const RecurrenceShape& shape, const void* weight_hh,
                           void* packed);

struct RecurrenceForwardArgs {
  RecurrenceShape shape;
  Sequences sequences;
  bool reverse = false;    ///< from each row's last step to its first
  std::int32_t begin = 0;  ///< steps [begin, end) are run, in this direction's order
  std::int32_t end = 0;
  bool training = true;          ///< keep what the backward pass needs
  void* gates = nullptr;         ///< [rows of these steps, S*H] in: x W^T in slots 0..G-1; out when
                                 ///< training: see cells/
  const void* bias = nullptr;    ///< [S*H] see kernels/cells/combined_bias.h
  const void* packed = nullptr;  ///< from pack_forward_weights
  void* h_state = nullptr;       ///< [B, H] in: state before these steps; out: after them
  void* c_state = nullptr;       ///< [B, H] likewise, of a cell that has one
  void* c = nullptr;             ///< [N, H] in training: every c
  void* h = nullptr;             ///< [N, ldh] every h
  std::int64_t ldh = 0;
  const void* mask = nullptr;          ///< [G, B, H] of UnitDraws::mask; null without
  const void* unit_weights = nullptr;  ///< [P, H] of a cell that has any
  UnitDraws draws = {};     ///< of the unit options; their mask is `mask` where there is one
  void* scratch = nullptr;  ///< recurrence_scratch_bytes()
};
void recurrence_forward(const Queue& queue, const RecurrenceForwardArgs& args);

struct RecurrenceBackwardArgs {
  RecurrenceShape shape;
  Sequences sequences;
  bool reverse = false;    ///< as in forward
  std::int32_t begin = 0;  ///< steps [begin, end) are run, against this direction's order
  std::int32_t end = 0;
  void* gates = nullptr;            ///< [rows of these steps, S*H] in: as forward left it; out:
                                    ///< gradients (see cells/)
  const void* packed = nullptr;     ///< from pack_backward_weights
  const void* h_initial = nullptr;  ///< [B, H]
  const void* c_initial = nullptr;  ///< [B, H]
  const void* h = nullptr;          ///< [N, ldh] as forward wrote it
  std::int64_t ldh = 0;
  const void* c = nullptr;   ///< [N, H]
  const void* dy = nullptr;  ///< [N, lddy] may be null
  std::int64_t lddy = 0;
  void* dh_state = nullptr;  ///< [B, H] in: gradient by the state after these steps; out: before
  void* dc_state = nullptr;  ///< [B, H] likewise, of a cell that has one
  const void* mask = nullptr;
  const void* unit_weights = nullptr;  ///< as in forward, as the next
  UnitDraws draws = {};
  void* scratch = nullptr;
};
void recurrence_backward(const Queue& queue, const RecurrenceBackwardArgs& args);

}  // namespace sluice
