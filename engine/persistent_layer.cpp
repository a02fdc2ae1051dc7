#include "engine/persistent_layer.h"

namespace sluice {
namespace {

PersistentKind kind_of(Algorithm algorithm) {
  return algorithm == Algorithm::persistent_cluster ? PersistentKind::cluster
         : algorithm == Algorithm::persistent_grid  ? PersistentKind::grid
                                                    : PersistentKind::block;
}

template <class Args, class Direction>
std::vector<Args> packed(const Queue& queue, const PersistentRequest& request,
                         const std::vector<Direction>& directions) {
  std::vector<Args> args;
  for (const Direction& direction : directions) {
    persistent_pack(queue, request.shape, request.pass, direction.weight_hh,
                    const_cast<void*>(direction.args.recurrence.packed));
    args.push_back(direction.args);
  }
  return args;
}

}  // namespace

PersistentRequest persistent_request(const RecurrentConfig& config, Algorithm algorithm,
                                     RecurrentPass pass, std::int64_t batch, bool dropout) {
  return {.kind = kind_of(algorithm), .pass = pass,
          .shape = {config.cell, config.data_type, config.hidden_size, config.math}, .batch = batch,
          .directions = config.directions(), .dropout = dropout};
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
                    const std::vector<PersistentForward>& directions) {
  const auto args = packed<PersistentForwardArgs>(queue, request, directions);
  persistent_forward(queue, request, persistent_fit(persistent_limits(), request), args.data());
}

void run_persistent(const Queue& queue, const PersistentRequest& request,
                    const std::vector<PersistentBackward>& directions) {
  const auto args = packed<PersistentBackwardArgs>(queue, request, directions);
  persistent_backward(queue, request, persistent_fit(persistent_limits(), request), args.data());
}

}  // namespace sluice
