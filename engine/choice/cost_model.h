// How long a pass takes on a GPU by each algorithm: predicted, and at the least.
//
//   time = max(input product's arithmetic, its memory traffic) + waves * T * step
//   step = exchange + pointwise + max(product, weights streamed past it) + state moved (persistent)
//   step = gaps between kernels + recurrent product + element-wise kernel                (stepwise)
//
// For a layer, both directions at once where there are two; layers one after another. Backward has
// two products where forward has one: with the weights, and, after the loop, for their gradients.
#pragma once

#include <cstdint>
#include <string>

#include "engine/choice/gpu_rates.h"
#include "engine/recurrent.h"
#include "kernels/time_loops/persistent/persistent.h"

namespace sluice {

/// Seconds.
struct PassTime {
  double forward = 0.0, backward = 0.0;
  double total() const { return forward + backward; }
};

/// `floor`: with every latency at its least and every rate at its peak.
struct CostPrediction {
  PassTime predicted, floor;
};

CostPrediction stepwise_cost(const RecurrentConfig& config, const PassShape& shape,
                             const GpuRates& rates);
/// `forward`, `backward`: how the persistent kernels cut the two passes; both fit.
CostPrediction persistent_cost(const RecurrentConfig& config, const PassShape& shape,
                               const GpuRates& rates, const PersistentFit& forward,
                               const PersistentFit& backward);
/// cuDNN's fastest algorithm that takes the call, by figures published for it.
CostPrediction cudnn_cost(const RecurrentConfig& config, const PassShape& shape,
                          const GpuRates& rates);

/// Least time of the call by any algorithm, forward and backward each with the division that suits
/// it: R multiprocessors share the weights of one group of B/C rows, C groups run side by side, and
///   step = exchange + pointwise + max(product, weights streamed) + state moved, at their floors:
///   exchange         within a block (R = 1), a cluster (R <= 16), or the grid
///   product          2 (G H / R) H max(8, B/C) FLOP on one multiprocessor; B/C without tensor
///   cores weights streamed what of the G H^2 / R numbers exceeds `kept_weight_bytes` state moved
///   (B/C) H numbers, unless R = 1
/// Layers of one direction overlap: together they take no less than the longest, nor than the
/// arithmetic of all on the whole GPU. Of ragged rows the mean of those that a step has counts.
/// sluice-bench's "% limit" is this too.
PassTime limit(const RecurrentConfig& config, const PassShape& shape, const GpuRates& rates);

}  // namespace sluice
