// The time loop as one launch for all steps of both directions, R resident: the engine's side of
// kernels/time_loops/persistent/persistent.h.
#pragma once

#include "engine/loops/time_loop.h"

namespace sluice {

class PersistentLoop final : public TimeLoop {
 public:
  PersistentLoop(PersistentKind kind, const LoopRequest& request, const PersistentLimits& limits);

  const PersistentRequest& asked() const { return fit_.request; }
  const PersistentFit& fit() const { return fit_; }

  std::string why_not() const override { return fit_.why_not; }
  bool reads_mask() const override { return false; }
  bool gathers() const override { return true; }
  std::string describe() const override;
  void take(Carver& carver, LoopMemory& memory) const override;
  void prepare(const Queue& queue, const void* weight_hh, const LoopMemory& memory) const override;
  void run(const Queue& queue, std::span<const LoopForwardArgs> directions) const override;
  void run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const override;

 private:
  const PersistentFit fit_;
};

/// `algorithm` is a persistent one.
PersistentKind persistent_kind_of(Algorithm algorithm);

/// The fit of both passes on the current device, the first that fails if one does.
PersistentFit persistent_fit_of_training(const RecurrentConfig& config, Algorithm algorithm,
                                         std::int64_t batch);

}  // namespace sluice
