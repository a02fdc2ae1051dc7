#include "engine/choice/pass_schedule.h"

#include "engine/choice/wavefront_cut.h"
#include "engine/loops/time_loop.h"

namespace sluice {
namespace {

PassSchedule unchunked(const ScheduleRequest& request) {
  const bool one_launch = traits_of(request.algorithm).one_launch;
  return {.algorithm = request.algorithm,
          .rule = chunk_rule(request.config, request.device, one_launch ? 0 : request.chunk_steps),
          .together = one_launch ? request.config.directions() : 1};
}

}  // namespace

PassSchedule pass_schedule(const ScheduleRequest& request, const PassShape& shape,
                           RecurrentPass pass) {
  PassSchedule schedule = unchunked(request);
  if (most_lanes_of(request.config, request.device, request.algorithm) == 1) return schedule;
  const AlgorithmCandidate candidate =
      algorithm_candidate(request.config, shape, *request.gpu, request.algorithm);
  const WavefrontCut cut = request.chunk_steps > 0
                               ? WavefrontCut{candidate.most_lanes(pass), request.chunk_steps}
                               : candidate.wavefront(pass);
  schedule.lanes = cut.lanes;
  const bool whole = traits_of(request.algorithm).one_launch && cut.lanes == 1;
  schedule.rule = {0, whole ? 0 : cut.chunk_steps};
  return schedule;
}

PassSchedule roomiest_schedule(const ScheduleRequest& request, const PassShape& shape,
                               bool overlapping) {
  PassSchedule schedule = unchunked(request);
  if (!overlapping) return schedule;
  schedule.lanes = most_lanes_of(request.config, request.device, request.algorithm);
  const std::int32_t chunk = (shape.steps + schedule.lanes - 1) / schedule.lanes + 1;
  schedule.rule = {
      0, request.chunk_steps > 0 || request.config.bidirectional ? request.chunk_steps : chunk};
  return schedule;
}

}  // namespace sluice
