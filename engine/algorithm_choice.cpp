#include "engine/algorithm_choice.h"

#include <algorithm>
#include <utility>

#include "engine/cudnn_pass.h"
#include "engine/persistent_layer.h"
#include "kernels/cudnn.h"
#include "kernels/device.h"

namespace sluice {
namespace {

AlgorithmCandidate persistent_candidate(const RecurrentConfig& config, const PassShape& shape,
                                        const GpuDescription& gpu, Algorithm algorithm,
                                        PersistentKind kind) {
  AlgorithmCandidate candidate;
  candidate.algorithm = algorithm;
  PersistentFit fits[2];
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    if (pass == RecurrentPass::backward && !shape.training) continue;
    PersistentFit& fit = fits[pass == RecurrentPass::backward];
    fit = persistent_fit(gpu.limits,
                         persistent_request(config, algorithm, pass, shape.batch,
                                            shape.training && config.recurrent_dropout > 0.0));
    if (!fit.fits) {
      candidate.why_not =
          std::string(pass == RecurrentPass::forward ? "forward: " : "backward: ") + fit.why_not;
      return candidate;
    }
  }
  if (!shape.training) fits[1] = fits[0];
  candidate.cost = persistent_cost(config, shape, gpu.rates, kind, fits[0], fits[1]);
  candidate.cut = std::to_string(fits[0].groups) + (fits[0].groups == 1 ? " group of " : " groups of ") +
                  std::to_string(fits[0].rows) + " rows on " + std::to_string(fits[0].blocks) +
                  (fits[0].blocks == 1 ? " block" : " blocks") + " each, for each direction";
  return candidate;
}

GpuDescription described(GpuRates rates) {
  constexpr std::size_t shared_bytes = 227 * 1024;
  return {std::move(rates),
          {.major = 9, .minor = 0, .multiprocessors = 132, .shared_bytes = shared_bytes,
           .clusters = {132, 66, 32, 16, 8}, .device = 0},
          false};
}

}  // namespace

GpuDescription described_device(const RecurrentConfig& config) {
  GpuDescription gpu{h200_rates(), persistent_limits(), false};
  for (const CudaDevice& device : cuda_devices().devices) {
    if (device.ordinal == gpu.limits.device) gpu.rates = rates_of(device);
  }
  gpu.cudnn = gpu.limits.multiprocessors > 0 && cudnn_presence().problem.empty() && why_cudnn_cannot(config).empty();
  return gpu;
}

GpuDescription described_h200() { return described(h200_rates()); }
GpuDescription described_h100() { return described(h100_rates()); }

std::vector<AlgorithmCandidate> algorithm_candidates(const RecurrentConfig& config,
                                                     const PassShape& shape,
                                                     const GpuDescription& gpu) {
  std::vector<AlgorithmCandidate> candidates;
  candidates.push_back({.algorithm = Algorithm::stepwise, .why_not = "",
                        .cost = stepwise_cost(config, shape, gpu.rates),
                        .cut = "a product and a cell kernel each step"});
  for (const auto& [algorithm, kind] :
       {std::pair{Algorithm::persistent_block, PersistentKind::block},
        std::pair{Algorithm::persistent_cluster, PersistentKind::cluster},
        std::pair{Algorithm::persistent_grid, PersistentKind::grid}}) {
    candidates.push_back(persistent_candidate(config, shape, gpu, algorithm, kind));
  }
  if (gpu.cudnn) {
    candidates.push_back({.algorithm = Algorithm::cudnn, .why_not = "",
                          .cost = cudnn_cost(config, shape, gpu.rates), .cut = "its own"});
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
