// How a pass divides the two pieces of memory it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/pass/pass_schedule.h"
#include "engine/recurrent.h"

namespace sluice {

/// Hands out parts of a piece of memory in order, each a multiple of 256 bytes from its base. With
/// a null base it only counts, so that a size query and a pass walk the same code.
class Carver {
 public:
  explicit Carver(void* base) : base_(static_cast<unsigned char*>(base)) {}

  /// From here on parts are 256-byte aligned, wherever the base lies. Not for memory that moves
  /// between passes.
  void align() {
    if (base_ != nullptr) base_ += (256 - reinterpret_cast<std::uintptr_t>(base_) % 256) % 256;
    used_ += 256;
  }

  void* take(std::size_t bytes) {
    void* part = base_;
    const std::size_t size = (bytes + 255) / 256 * 256;
    if (base_ != nullptr) base_ += size;
    used_ += size;
    return part;
  }
  std::size_t used() const { return used_; }

 private:
  unsigned char* base_;  // of the next part
  std::size_t used_ = 0;
};

/// What a direction of a layer leaves for its backward pass.
struct DirectionReserve {
  void* gates = nullptr;  ///< [N, S*H], or of the largest chunk's rows without training
  void* c = nullptr;      ///< [N, H] LSTM
};

/// Kept from forward to backward. Without training the layers share one DirectionReserve for each
/// that is alive at once, large enough for a chunk, and take turns with two outputs, and all of it
/// lies in the workspace.
struct PassReserve {
  std::vector<void*> dropped_input;  ///< [L] input after dropout; null without dropout
  std::vector<void*> output;         ///< [L] [N, D*H]; the last is the caller's y: null

  PassReserve(Carver& carver, const RecurrentConfig& config, const PassSchedule& schedule,
              const PassShape& shape, bool training);

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
  void* packed = nullptr;        ///< weights as row_blocks and the persistent kernels arrange them
  void* scratch = nullptr;       ///< recurrence_scratch_bytes(); persistent_exchange_bytes()
  void* bias = nullptr;          ///< [S*H]
  void* h_state = nullptr;       ///< [B, H]
  void* c_state = nullptr;       ///< [B, H] LSTM
  void* mask = nullptr;          ///< [G, B, H] recurrent dropout
  void* shared_gates = nullptr;  ///< [U, G*H] product of a shared input, or its gradient
  void* h_operand = nullptr;     ///< stepwise forward: see kernels/time_loops/cell_step.h
  // Backward alone:
  void* d_masked = nullptr;  ///< [G, B, H] stepwise with recurrent dropout, state_type
  void* dh_state = nullptr;  ///< [B, H]
  void* dc_state = nullptr;  ///< [B, H] LSTM
  void* dq = nullptr;        ///< [B, H] GRU reset-before, stepwise
  void* previous = nullptr;  ///< [rows of the largest chunk, H]
  void* d_bias = nullptr;    ///< [S*H]
  void* column_sum = nullptr;
  std::size_t column_sum_bytes = 0;
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

  PassWorkspace(Carver& carver, const RecurrentConfig& config, DeviceKind device,
                const PassSchedule& schedule, const PassShape& shape, bool backward);
};

}  // namespace sluice
