// How fast a recurrent layer could be on a GPU: the project's limit model, whole.
//
// One pass of one layer and direction takes
//   max(2 N G H I / P, bytes of x, W and gates / bandwidth) + T t_step,
//   t_step = t_sync + t_pointwise + max(t_mma, t_w) + t_h,
// where R multiprocessors share the weights of one group of B/C batch rows, C groups side by side:
//   t_sync       0.06 us on one multiprocessor, 0.15 in a cluster (R <= 16), 0.50 over the grid
//   t_pointwise  0.05 us
//   t_mma        (G H / R) H max(8, B/C) / (multiply-adds a clock and multiprocessor)
//   t_w          what of the G H^2 / R weights exceeds 128 KiB, at 128 bytes a clock
//   t_h          (B/C) H numbers exchanged, at 64 bytes a clock
// The division (R, C) that is fastest counts. A backward pass takes as long a step (H numbers a row
// are exchanged, summed), and outside the loop the products for dx, dW and dR. The constants are a
// floor to aim at, not measurements.
#pragma once

#include <cstdint>

#include "bench/layers/layer_problem.h"

namespace sluice::bench {

struct GpuPeaks {
  int multiprocessors = 0;
  double clock = 0;          ///< Hz
  double bandwidth = 0;      ///< bytes a second
  double flops = 0;          ///< a second, in the problem's number type
  double multiply_adds = 0;  ///< a clock and multiprocessor, likewise
};

/// H100 and H200: 4096 (16-bit), 2048 (TF32), 128 (float32) multiply-adds a clock.
enum class GpuMath { half, tf32, float32 };
GpuPeaks h200_peaks(GpuMath math);

#ifdef SLUICE_WITH_CUDA
/// Of device `ordinal`, by its attributes. Errors: runtime from CUDA.
GpuPeaks gpu_peaks(int ordinal, GpuMath math);
#endif

/// Seconds of a forward pass, and of the backward pass alone.
double gpu_forward_limit(const LayerProblem& problem, const GpuPeaks& peaks);
double gpu_backward_limit(const LayerProblem& problem, const GpuPeaks& peaks);

/// Of what the problem asks for.
double gpu_limit(const LayerProblem& problem, const GpuPeaks& peaks);

}  // namespace sluice::bench
