#include "engine/choice/wavefront_cut.h"

#include <algorithm>

#include "engine/loops/time_loop.h"

namespace sluice {
namespace {

constexpr double kLeastSpeedup = 1.05;

}  // namespace

int most_lanes_of(const RecurrentConfig& config, DeviceKind device, Algorithm algorithm) {
  if (device == DeviceKind::cpu || is_cudnn(algorithm)) return 1;
  if (config.bidirectional) return traits_of(algorithm).one_launch ? 1 : 2;
  return std::min(config.num_layers, kMostLanes);
}

int lanes_with_room(int wanted, double gpu_share) {
  const int beside = static_cast<int>(1.0 / std::max(gpu_share, 1e-3));
  return std::max(1, std::min({wanted, beside, kMostLanes}));
}

WavefrontCut wavefront_cut(int layers, std::int32_t steps, const LayerCost& layer) {
  constexpr std::int32_t kFewestSteps = 4, kMostChunks = 32;
  const int lanes = lanes_with_room(layers, layer.gpu_share);
  WavefrontCut best;
  if (lanes < 2) return best;
  const double one_by_one = layers * layer.seconds;
  const int turns = (layers + lanes - 1) / lanes;
  for (std::int32_t wanted = lanes; wanted <= kMostChunks; ++wanted) {
    const std::int32_t chunk_steps = (steps + wanted - 1) / wanted;
    if (chunk_steps < kFewestSteps) break;
    const std::int32_t chunks = (steps + chunk_steps - 1) / chunk_steps;
    const double time =
        (turns * chunks + lanes - 1) * (layer.seconds * chunk_steps / steps + layer.chunk_seconds);
    const double speedup = one_by_one / time;
    if (speedup >= kLeastSpeedup && speedup > best.speedup) best = {lanes, chunk_steps, speedup};
  }
  return best;
}

WavefrontCut side_by_side(const LayerCost& direction) {
  const double speedup = 2 * direction.seconds / (direction.seconds + direction.chunk_seconds);
  if (lanes_with_room(2, direction.gpu_share) < 2 || speedup < kLeastSpeedup) return {};
  return {2, 0, speedup};
}

}  // namespace sluice
