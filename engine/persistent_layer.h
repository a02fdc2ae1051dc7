// The engine's side of kernels/persistent.h: which request a configuration is, and a layer's time
// loops of both directions in one launch.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/recurrent.h"
#include "kernels/persistent.h"

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

/// A direction whose `recurrence.packed` is to be filled from weight_hh.
struct PersistentForward {
  PersistentForwardArgs args;
  const void* weight_hh = nullptr;
};
struct PersistentBackward {
  PersistentBackwardArgs args;
  const void* weight_hh = nullptr;
};
/// Packs the weights and runs the launch. `directions`: one or two, of one layer.
void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentForward>& directions);
void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentBackward>& directions);

}  // namespace sluice
