// Whether the layers of a stack overlap, and in chunks of how many steps: by the cost model.
#pragma once

#include <cstdint>

#include "engine/choice/gpu_rates.h"
#include "engine/recurrent.h"

namespace sluice {

/// Layers that overlap at most: each has a stream of its own.
inline constexpr int kMostLanes = 4;

/// Streams that a pass by `algorithm` may ask for: as many as there are layers of one direction, up
/// to kMostLanes; 2 for both directions, unless one launch takes them; 1 on the CPU and in cuDNN.
int most_lanes_of(const RecurrentConfig& config, DeviceKind device, Algorithm algorithm);

/// A layer by itself. Seconds.
struct LayerCost {
  double seconds = 0.0;        ///< over all steps
  double chunk_seconds = 0.0;  ///< added for each chunk that its steps are cut into
  double gpu_share =
      1.0;  ///< of the GPU's arithmetic or multiprocessors, that it keeps from others
};

/// How many of `wanted` layers or directions run side by side at most, up to kMostLanes: as many as
/// a GPU holds at once. Not a matter of speed alone: blocks of a persistent_grid wait for each
/// other, and those of two that are resident in part would wait for ever.
int lanes_with_room(int wanted, double gpu_share);

struct WavefrontCut {
  int lanes = 1;
  std::int32_t chunk_steps = 0;  ///< 0: all steps
  double speedup = 1.0;          ///< expected, over layers one after another
};

/// C chunks on K lanes take (ceil(L/K) C + K - 1)(seconds / C + chunk_seconds); the best C, if it
/// gains a twentieth or more.
WavefrontCut wavefront_cut(int layers, std::int32_t steps, const LayerCost& layer);

/// Both directions of a layer side by side, all steps of each: `layer` is one direction's cost.
WavefrontCut side_by_side(const LayerCost& direction);

}  // namespace sluice
