// The engine's side of kernels/time_loops/persistent/persistent.h: which request a configuration
// is, and a layer's time loops of both directions in one launch.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/recurrent.h"
#include "kernels/time_loops/persistent/persistent.h"

namespace sluice {

constexpr bool is_persistent(Algorithm algorithm) {
  return algorithm == Algorithm::persistent_block || algorithm == Algorithm::persistent_cluster ||
         algorithm == Algorithm::persistent_grid;
}

/// `algorithm`: a persistent one. `dropout`: whether recurrent masks are drawn.
PersistentRequest persistent_request(const RecurrentConfig& config, Algorithm algorithm,
                                     RecurrentPass pass, std::int64_t batch, bool dropout);

/// The fit of both passes, the first that fails if one does.
PersistentFit persistent_fit_of_training(const RecurrentConfig& config, Algorithm algorithm,
                                         std::int64_t batch);

/// One launch. `directions`: one or two, of one layer, their weights packed.
void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentForwardArgs>& directions);
void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentBackwardArgs>& directions);

}  // namespace sluice
