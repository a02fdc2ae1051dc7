#include "engine/choice/algorithm_choice.h"

#include <algorithm>
#include <utility>

#include "engine/loops/cudnn_pass.h"
#include "engine/loops/persistent.h"
#include "kernels/cudnn/cudnn.h"
#include "kernels/device/device.h"

namespace sluice {
namespace {

// From a layer's own cost, of a stack of layers alike, to a wavefront's.
void let_layers_overlap(AlgorithmCandidate& candidate, const RecurrentConfig& config,
                        const PassShape& shape, RecurrentPass pass, double chunk_seconds,
                        double gpu_share) {
  const int wanted = most_lanes_of(config, DeviceKind::cuda, candidate.algorithm);
  if (wanted == 1) return;
  candidate.room[pass == RecurrentPass::backward] = lanes_with_room(wanted, gpu_share);
  double& predicted = pass == RecurrentPass::forward ? candidate.cost.predicted.forward
                                                     : candidate.cost.predicted.backward;
  WavefrontCut& cut = candidate.wavefronts[pass == RecurrentPass::backward];
  const double each = predicted / (config.num_layers * config.directions());
  const LayerCost cost{each, chunk_seconds, gpu_share};
  cut = config.bidirectional ? side_by_side(cost)
                             : wavefront_cut(config.num_layers, shape.steps, cost);
  predicted /= cut.speedup;
}

// A product of its own for each chunk's input, and what starts with it.
double launches_of_chunk(const GpuRates& rates) {
  return 2 * (rates.dependent_kernel + rates.smallest_kernel);
}

AlgorithmCandidate stepwise_candidate(const RecurrentConfig& config, const PassShape& shape,
                                      const GpuDescription& gpu) {
  AlgorithmCandidate candidate{.algorithm = Algorithm::stepwise,
                               .why_not = "",
                               .cost = stepwise_cost(config, shape, gpu.rates),
                               .cut = "a product and a cell kernel each step",
                               .wavefronts = {}};
  const CostPrediction cost = candidate.cost;
  const double least = 1.0 / kMostLanes, chunk = launches_of_chunk(gpu.rates);
  let_layers_overlap(candidate, config, shape, RecurrentPass::forward, chunk,
                     std::max(least, cost.floor.forward / cost.predicted.forward));
  let_layers_overlap(candidate, config, shape, RecurrentPass::backward, chunk,
                     std::max(least, cost.floor.backward / cost.predicted.backward));
  return candidate;
}

AlgorithmCandidate persistent_candidate(const RecurrentConfig& config, const PassShape& shape,
                                        const GpuDescription& gpu, Algorithm algorithm) {
  AlgorithmCandidate candidate;
  candidate.algorithm = algorithm;
  const auto loop = [&](RecurrentPass pass) {
    return PersistentLoop(persistent_kind_of(algorithm),
                          {.config = config,
                           .device = DeviceKind::cuda,
                           .pass = pass,
                           .batch = shape.batch,
                           .drops = shape.training},
                          gpu.limits);
  };
  const PersistentLoop forward = loop(RecurrentPass::forward);
  const PersistentLoop backward = shape.training ? loop(RecurrentPass::backward) : forward;
  for (const PersistentLoop* each : {&forward, &backward}) {
    if (each->fit().fits) continue;
    candidate.why_not = (each == &forward ? "forward: " : "backward: ") + each->why_not();
    return candidate;
  }
  const PersistentFit& cut = forward.fit();
  candidate.cost = persistent_cost(config, shape, gpu.rates, cut, backward.fit());
  candidate.cut = std::to_string(cut.groups) + (cut.groups == 1 ? " group of " : " groups of ") +
                  std::to_string(cut.rows) + " rows on " + std::to_string(cut.blocks) +
                  (cut.blocks == 1 ? " block" : " blocks") + " each, for each direction";
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    const PersistentLoop& each = pass == RecurrentPass::forward ? forward : backward;
    const PersistentFit& fit = each.fit();
    const double share = static_cast<double>(fit.groups) * fit.blocks / gpu.limits.multiprocessors;
    const double weights = static_cast<double>(persistent_weight_bytes(each.asked())) * fit.groups;
    let_layers_overlap(candidate, config, shape, pass,
                       launches_of_chunk(gpu.rates) + weights / gpu.rates.cache_bandwidth, share);
  }
  return candidate;
}

GpuDescription described(GpuRates rates) {
  constexpr std::size_t kSharedBytes = 227 * 1024;
  return {std::move(rates),
          {.major = 9,
           .minor = 0,
           .multiprocessors = 132,
           .shared_bytes = kSharedBytes,
           .clusters = {132, 66, 32, 16, 8},
           .device = 0},
          "our own algorithms alone are described"};
}

std::string why_not_cudnn(const RecurrentConfig& config, const PersistentLimits& limits) {
  const std::string why = why_cudnn_cannot(config);
  if (!why.empty()) return why;
  return limits.multiprocessors == 0 ? "there is no CUDA device" : cudnn_presence().problem;
}

}  // namespace

GpuDescription described_device(const RecurrentConfig& config) {
  GpuDescription gpu{h200_rates(), persistent_limits(), ""};
  for (const CudaDevice& device : cuda_devices().devices) {
    if (device.ordinal == gpu.limits.device) gpu.rates = rates_of(device);
  }
  gpu.why_not_cudnn = why_not_cudnn(config, gpu.limits);
  return gpu;
}

GpuDescription described_h200() { return described(h200_rates()); }
GpuDescription described_h100() { return described(h100_rates()); }
GpuDescription described_gpu(const std::string& name) { return described(rates_named(name)); }

AlgorithmCandidate algorithm_candidate(const RecurrentConfig& config, const PassShape& shape,
                                       const GpuDescription& gpu, Algorithm algorithm) {
  if (traits_of(algorithm).one_launch) return persistent_candidate(config, shape, gpu, algorithm);
  if (algorithm == Algorithm::stepwise) return stepwise_candidate(config, shape, gpu);
  AlgorithmCandidate cudnn{algorithm, gpu.why_not_cudnn, {}, "its own", {}};
  if (cudnn.why_not.empty()) cudnn.cost = cudnn_cost(config, shape, gpu.rates);
  return cudnn;
}

std::vector<AlgorithmCandidate> algorithm_candidates(const RecurrentConfig& config,
                                                     const PassShape& shape,
                                                     const GpuDescription& gpu) {
  std::vector<AlgorithmCandidate> candidates;
  for (const Algorithm algorithm :
       {Algorithm::stepwise, Algorithm::persistent_block, Algorithm::persistent_cluster,
        Algorithm::persistent_grid, Algorithm::cudnn}) {
    candidates.push_back(algorithm_candidate(config, shape, gpu, algorithm));
  }
  const auto weight = [](const AlgorithmCandidate& candidate) {
    return candidate.cost.predicted.total() * (is_cudnn(candidate.algorithm) ? 1.1 : 1.0);
  };
  std::stable_sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
    if (a.why_not.empty() != b.why_not.empty()) return a.why_not.empty();
    return weight(a) < weight(b);
  });
  return candidates;
}

}  // namespace sluice
