// The forward and backward times that a result file has for a layer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/layers/layer_problem.h"
#include "bench/report/report.h"

namespace sluice::bench {

/// Seconds. Backward is what a training pass takes beyond an inference pass, so it holds what the
/// forward pass keeps for it.
struct MeasuredPass {
  double forward = 0, backward = 0;
  std::string algorithm;  ///< of the training pass
};

class MeasuredPasses {
 public:
  explicit MeasuredPasses(const Report& report) : summaries_(report.summaries()) {}

  /// Sluice's own, of equal rows; the first case of the layer's numbers counts. `problem.training`
  /// is not read. Nothing unless both passes were measured.
  std::optional<MeasuredPass> find(const LayerProblem& problem) const;

 private:
  const nlohmann::ordered_json* find(const LayerProblem& problem, const char* pass) const;

  std::vector<nlohmann::ordered_json> summaries_;
};

}  // namespace sluice::bench
