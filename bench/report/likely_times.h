// What the present kernels are likely to take, where somebody has read their machine code for it.
#pragma once

#include <optional>

#include "bench/layers/layer_problem.h"

namespace sluice::bench {

/// A range in milliseconds; both 0 where nothing is known.
struct LikelyRange {
  double least = 0, most = 0;
};

struct LikelyTime {
  LikelyRange forward, backward;
};

/// Whose figures they are.
inline constexpr const char* kLikelySource = "an audit of the machine code, November 2026";

/// Of an H200 or H100. Inferred from dependent chains and serial loads in the code for sm_90, not
/// measured. Nothing for a shape or number type that was not looked at; `problem.training` is not
/// read.
std::optional<LikelyTime> likely_time(const LayerProblem& problem);

}  // namespace sluice::bench
