// From a sequence of features to one row of features.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"

namespace sluice {

enum class Pooling {
  last,  ///< where each direction ends: the row's last step for the first F/directions features,
         ///< step 0 for the reverse direction's: h_n of the last layer
  mean,  ///< over the row's own steps
  max,   ///< over the row's own steps, the earliest on a tie; NaN wins
};

/// A mean adds up this many steps before they join the total, against rounding on long rows.
inline constexpr std::int32_t kMeanChunk = 64;

/// Rows of `out` are in sorted order, as in kernels/base/sequences.h.
struct PoolForwardArgs {
  DataType type = DataType::float32;  ///< of y
  Pooling pooling = Pooling::last;
  Sequences sequences = {};
  std::int64_t features = 0;       ///< F, over all directions
  int directions = 1;              ///< 1 or 2; divides F
  const void* y = nullptr;         ///< [N, F]
  void* out = nullptr;             ///< [B, F] of state_type(type)
  std::int32_t* argmax = nullptr;  ///< [B, F] max: the step taken, for backward; else not read
};

struct PoolBackwardArgs {
  DataType type = DataType::float32;  ///< of dy
  Pooling pooling = Pooling::last;
  Sequences sequences = {};
  std::int64_t features = 0;
  int directions = 1;
  const void* d_out = nullptr;           ///< [B, F] of state_type(type)
  const std::int32_t* argmax = nullptr;  ///< [B, F] max: as forward left it
  void* dy = nullptr;                    ///< [N, F], overwritten whole
};

/// Errors: usage on a size that does not fit or a null pointer.
void pool_forward(const Queue& queue, const PoolForwardArgs& args);
void pool_backward(const Queue& queue, const PoolBackwardArgs& args);

namespace cpu {
void pool_forward(const Queue&, const PoolForwardArgs&);
void pool_backward(const Queue&, const PoolBackwardArgs&);
}  // namespace cpu
namespace cuda {
void pool_forward(const Queue&, const PoolForwardArgs&);
void pool_backward(const Queue&, const PoolBackwardArgs&);
}  // namespace cuda

}  // namespace sluice
