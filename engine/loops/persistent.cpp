#include "engine/loops/persistent.h"

#include <vector>

namespace sluice {

PersistentLoop::PersistentLoop(PersistentKind kind, const LoopRequest& request,
                               const PersistentLimits& limits)
    : TimeLoop(request),
      fit_(persistent_fit(limits, {.kind = kind,
                                   .pass = request.pass,
                                   .shape = request.shape(),
                                   .batch = request.batch,
                                   .directions = request.config.directions(),
                                   .options = request.draws()})) {}

std::string PersistentLoop::describe() const {
  const int groups = fit_.groups * asked().directions;
  return std::string(backward() ? "backward: " : "forward: ") + std::to_string(groups) +
         " groups of " + std::to_string(fit_.rows) + " rows in " + std::to_string(fit_.blocks) +
         (fit_.blocks == 1 ? " block" : " blocks") + " each, in " + std::to_string(fit_.waves()) +
         " waves; a block has " + std::to_string(fit_.threads) + " threads and " +
         std::to_string(fit_.shared_bytes) + " bytes of shared memory";
}

void PersistentLoop::take(Carver& carver, LoopMemory& memory) const {
  memory.packed = carver.take(persistent_weight_bytes(asked()));
  memory.scratch = carver.take(persistent_exchange_bytes(asked()));
}

void PersistentLoop::prepare(const Queue& queue, const void* weight_hh,
                             const LoopMemory& memory) const {
  persistent_pack(queue, fit_, weight_hh, memory.packed);
}

void PersistentLoop::run(const Queue& queue, std::span<const LoopForwardArgs> directions) const {
  std::vector<PersistentForwardArgs> launches;
  for (const LoopForwardArgs& each : directions) {
    launches.push_back({.recurrence = each.recurrence,
                        .exchange = each.memory.scratch,
                        .inputs = each.inputs,
                        .input_index = each.input_index});
  }
  persistent_forward(queue, fit_, launches.data());
}

void PersistentLoop::run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const {
  std::vector<PersistentBackwardArgs> launches;
  for (const LoopBackwardArgs& each : directions) {
    launches.push_back({.recurrence = each.recurrence, .exchange = each.memory.scratch});
  }
  persistent_backward(queue, fit_, launches.data());
}

PersistentKind persistent_kind_of(Algorithm algorithm) {
  return algorithm == Algorithm::persistent_cluster ? PersistentKind::cluster
         : algorithm == Algorithm::persistent_grid  ? PersistentKind::grid
                                                    : PersistentKind::block;
}

PersistentFit persistent_fit_of_training(const RecurrentConfig& config, Algorithm algorithm,
                                         std::int64_t batch) {
  const auto fit = [&](RecurrentPass pass) {
    return PersistentLoop(
               persistent_kind_of(algorithm),
               {.config = config, .device = DeviceKind::cuda, .pass = pass, .batch = batch},
               persistent_limits())
        .fit();
  };
  const PersistentFit forward = fit(RecurrentPass::forward);
  if (!forward.fits) return forward;
  PersistentFit backward = fit(RecurrentPass::backward);
  if (!backward.fits) backward.why_not = "backward: " + backward.why_not;
  return backward.fits ? forward : backward;
}

}  // namespace sluice
