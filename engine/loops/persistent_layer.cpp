#include "engine/loops/persistent_layer.h"

namespace sluice {
namespace {

PersistentKind kind_of(Algorithm algorithm) {
  return algorithm == Algorithm::persistent_cluster ? PersistentKind::cluster
         : algorithm == Algorithm::persistent_grid  ? PersistentKind::grid
                                                    : PersistentKind::block;
}

}  // namespace

PersistentRequest persistent_request(const RecurrentConfig& config, Algorithm algorithm,
                                     RecurrentPass pass, std::int64_t batch, bool dropout) {
  return {.kind = kind_of(algorithm),
          .pass = pass,
          .shape = {config.cell, config.data_type, config.hidden_size, config.math},
          .batch = batch,
          .directions = config.directions(),
          .dropout = dropout};
}

PersistentFit persistent_fit_of_training(const RecurrentConfig& config, Algorithm algorithm,
                                         std::int64_t batch) {
  const bool dropout = config.recurrent_dropout > 0.0;
  const PersistentLimits limits = persistent_limits();
  const PersistentFit forward = persistent_fit(
      limits, persistent_request(config, algorithm, RecurrentPass::forward, batch, dropout));
  if (!forward.fits) return forward;
  PersistentFit backward = persistent_fit(
      limits, persistent_request(config, algorithm, RecurrentPass::backward, batch, dropout));
  if (!backward.fits) backward.why_not = "backward: " + backward.why_not;
  return backward.fits ? forward : backward;
}

void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentForwardArgs>& directions) {
  persistent_forward(queue, request, persistent_fit(persistent_limits(), request),
                     directions.data());
}

void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentBackwardArgs>& directions) {
  persistent_backward(queue, request, persistent_fit(persistent_limits(), request),
                      directions.data());
}

}  // namespace sluice
