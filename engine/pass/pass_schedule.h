// How a pass is cut up: decided before it begins, by the configuration and the shape alone.
#pragma once

#include "engine/loops/persistent_layer.h"
#include "engine/pass/step_chunks.h"
#include "engine/recurrent.h"

namespace sluice {

struct PassSchedule {
  Algorithm algorithm = Algorithm::stepwise;
  ChunkRule rule;
  int lanes = 1;  ///< layers, or directions, that overlap (engine/pass/wavefront.h), if the queue
                  ///< has streams for them

  /// Directions that are alive at once.
  int parts(const RecurrentConfig& config) const {
    return is_persistent(algorithm) && config.bidirectional ? 2 : lanes;
  }
};

}  // namespace sluice
