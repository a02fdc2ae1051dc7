// A run of time steps of one or both directions of a layer in one CUDA launch, with the recurrent
// weights resident on the SMs for all steps: kernels/time_loops/recurrence.h for GPUs.
//
// A group of blocks holds the weights of a direction and takes a few batch rows, sorted by length,
// through all steps; groups are independent, so that nothing ever waits for the whole grid. Each
// block owns some units with all their gates; after every step the blocks of a group exchange what
// enters the next product (forward h, backward the gates' gradients). A group ends with its longest
// row. c, the float32 h and the gradients by them stay in registers.
//
// 16-bit types are multiplied by tensor cores, float32 by FFMA or, with MatrixMath::tf32, by tensor
// cores in TF32. float64 and cells of two phases are not done here. A cell without R needs no
// products: kind `block` takes it, each thread a unit of a row, float64 too.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/time_loops/persistent/persistent_launch.h"

namespace sluice {

/// Of the current CUDA device, or the one of that number; asked once a device. All zero where there
/// is none. Errors: runtime from CUDA.
PersistentLimits persistent_limits();
PersistentLimits persistent_limits(int device);

/// Whether products are tensor cores'.
bool uses_tensor_cores(const RecurrenceShape& shape);

/// How a request would run, if it fits.
struct PersistentFit : PersistentLaunch {
  bool fits = false;
  std::string why_not;  ///< empty if it fits
};
/// The cut with the fewest waves, then the fewest rows a group, then (cluster) the most blocks or
/// (grid) the fewest. A function of its arguments alone.
PersistentFit persistent_fit(const PersistentLimits& limits, const PersistentRequest& request);

/// Bytes of packed weights of a direction, for any batch and options.
std::size_t persistent_weight_bytes(const PersistentRequest& request);
/// Bytes of `exchange` of a direction, enough for every smaller batch too: 0 but for the grid.
std::size_t persistent_exchange_bytes(const PersistentRequest& request);

/// weight_hh [G*H, H] in, packed out; their arrangement is private to these launches. Nothing for a
/// cell without R.
void persistent_pack(const Queue& queue, const PersistentFit& fit, const void* weight_hh,
                     void* packed);

/// `directions` points to as many as the request's; all have its shape and batch, and rates of
/// options as it says. `fit` is the request's on the queue's device. Errors: usage if it does not
/// fit.
void persistent_forward(const Queue& queue, const PersistentFit& fit,
                        const PersistentForwardArgs* directions);
void persistent_backward(const Queue& queue, const PersistentFit& fit,
                         const PersistentBackwardArgs* directions);

}  // namespace sluice
