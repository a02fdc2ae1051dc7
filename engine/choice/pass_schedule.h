// How a pass is cut up: decided before it begins, by the configuration and the shape alone.
#pragma once

#include "engine/choice/algorithm_choice.h"
#include "engine/choice/step_chunks.h"
#include "engine/recurrent.h"

namespace sluice {

struct PassSchedule {
  Algorithm algorithm = Algorithm::stepwise;
  ChunkRule rule;
  int lanes = 1;  ///< layers, or directions, that overlap (engine/pass/wavefront.h), if the queue
                  ///< has streams for them
  int together = 1;  ///< directions that a launch takes

  /// Directions that are alive at once.
  int parts() const { return together > 1 ? together : lanes; }
};

/// What a plan knows before any pass.
struct ScheduleRequest {
  const RecurrentConfig& config;
  DeviceKind device = DeviceKind::cpu;
  Algorithm algorithm = Algorithm::stepwise;
  std::int32_t chunk_steps = 0;         ///< that the caller asked for; 0: none
  const GpuDescription* gpu = nullptr;  ///< on CUDA
};
PassSchedule pass_schedule(const ScheduleRequest& request, const PassShape& shape,
                           RecurrentPass pass);

/// Takes at least as much memory as any schedule of this or a smaller shape, with layers that
/// overlap or without.
PassSchedule roomiest_schedule(const ScheduleRequest& request, const PassShape& shape,
                               bool overlapping);

}  // namespace sluice
