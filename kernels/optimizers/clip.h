// Gradient clipping. Norms stay on the device: no launch waits for the host.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// x[i] = min(max(x[i], -limit), limit); NaN stays NaN.
struct ClipByValueArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* x = nullptr;   ///< [count]
  double limit = 0.0;  ///< > 0
};

/// x[i] *= min(1, limit / (sqrt(*squared_sum) + 1e-6)), PyTorch's clip_grad_norm_. The sum is that
/// of sum_of_squares over all buffers that share the norm; each is then clipped with a call of its
/// own. A NaN norm makes every number NaN.
struct ClipByGlobalNormArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* x = nullptr;                    ///< [count]
  const double* squared_sum = nullptr;  ///< [1], on the device
  double limit = 0.0;                   ///< > 0
};

/// x[i] *= limit / max(norm, limit) with the norm of this buffer alone: Keras' clipnorm, once for
/// each tensor.
struct ClipByNormArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* x = nullptr;                ///< [count]
  double limit = 0.0;               ///< > 0
  double* squared_sum = nullptr;    ///< [1], on the device; overwritten by this buffer's
  void* workspace = nullptr;        ///< 16-byte aligned; free again afterwards
  std::size_t workspace_bytes = 0;  ///< at least sum_of_squares_workspace_bytes(count)
};

/// Errors: usage on a limit that is not positive, a negative count, a null pointer or too small a
/// workspace.
void clip_by_value(const Queue& queue, const ClipByValueArgs& args);
void clip_by_global_norm(const Queue& queue, const ClipByGlobalNormArgs& args);
void clip_by_norm(const Queue& queue, const ClipByNormArgs& args);

namespace cpu {
void clip_by_value(const Queue&, const ClipByValueArgs&);
void clip_by_global_norm(const Queue&, const ClipByGlobalNormArgs&);
void clip_by_norm(const Queue&, const ClipByNormArgs&);
}  // namespace cpu
namespace cuda {
void clip_by_value(const Queue&, const ClipByValueArgs&);
void clip_by_global_norm(const Queue&, const ClipByGlobalNormArgs&);
void clip_by_norm(const Queue&, const ClipByNormArgs&);
}  // namespace cuda

}  // namespace sluice
