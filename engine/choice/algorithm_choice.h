// Which algorithm a call runs by: every one that takes it, with its predicted time.
#pragma once

#include <string>
#include <vector>

#include "engine/choice/cost_model.h"
#include "engine/choice/wavefront_cut.h"
#include "engine/recurrent.h"
#include "kernels/time_loops/persistent/persistent.h"

namespace sluice {

/// What is known of a GPU without running anything on it.
struct GpuDescription {
  GpuRates rates;
  PersistentLimits limits;
  std::string why_not_cudnn;  ///< empty if cuDNN can be chosen
};

/// Of the current CUDA device; with cuDNN where the library is there and takes `config`.
GpuDescription described_device(const RecurrentConfig& config);

/// Of an H200 or H100 (SXM), for predictions where there is none, of our own algorithms.
GpuDescription described_h200();
GpuDescription described_h100();
/// By its name in known_gpus() (engine/choice/gpu_rates.h). Errors: usage for another.
GpuDescription described_gpu(const std::string& name);

struct AlgorithmCandidate {
  Algorithm algorithm = Algorithm::stepwise;
  std::string why_not;         ///< empty if it takes the call
  CostPrediction cost;         ///< if it does; predicted with layers that overlap
  std::string cut;             ///< how it would divide the work, for people
  WavefrontCut wavefronts[2];  ///< forward, backward: how layers overlap
  int room[2] = {1, 1};  ///< forward, backward: layers or directions that the GPU holds at once, of
                         ///< those that may overlap

  const WavefrontCut& wavefront(RecurrentPass pass) const {
    return wavefronts[pass == RecurrentPass::backward];
  }
  int most_lanes(RecurrentPass pass) const { return room[pass == RecurrentPass::backward]; }
};

/// Whether, and how, one algorithm takes the call; `algorithm` is one that CUDA has.
AlgorithmCandidate algorithm_candidate(const RecurrentConfig& config, const PassShape& shape,
                                       const GpuDescription& gpu, Algorithm algorithm);

/// All that CUDA has, the fastest first, then those that do not take the call. cuDNN comes before
/// an algorithm of ours only where it is expected to be a tenth faster, since ours give the same
/// bits every time. A function of its arguments alone, so that a forward and its backward pass
/// agree.
std::vector<AlgorithmCandidate> algorithm_candidates(const RecurrentConfig& config,
                                                     const PassShape& shape,
                                                     const GpuDescription& gpu);

}  // namespace sluice
