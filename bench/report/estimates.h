// What is expected of a layer on a GPU, and what was measured of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/report/likely_times.h"
#include "bench/report/measured_passes.h"
#include "engine/choice/algorithm_choice.h"

namespace sluice::bench {

struct Estimate {
  std::string arithmetic;  ///< "bfloat16", "float16", "TF32", "float32"
  LayerProblem problem;
  AlgorithmCandidate best;           ///< of Sluice's own, by the cost model
  PassTime limit, stepwise, cudnn;   ///< seconds; `best.cost.predicted` is the choice's
  std::optional<LikelyTime> likely;  ///< milliseconds
  std::optional<MeasuredPass> measured;

  std::string shape() const;  ///< "lstm H 512, I 512, B 64, T 512"
};

/// Of the reference shapes in every number type. `passes`: what a run on such a GPU measured, or
/// null.
std::vector<Estimate> estimates(const GpuDescription& gpu, const MeasuredPasses* passes);

/// A row of bench/predictions.md, and its heading.
std::string estimate_heading();
std::string estimate_row(const Estimate& estimate);

/// The same as an object: times are [forward, backward] in ms, likely ones [[least, most], ...];
/// null where there are none.
nlohmann::ordered_json estimate_object(const Estimate& estimate, const GpuRates& rates);

}  // namespace sluice::bench
