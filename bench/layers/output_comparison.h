// Whether two implementations computed the same thing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/layers/layer_problem.h"
#include "bench/peers/layer_peer.h"

namespace sluice::bench {

/// The output that differs most: |a - b| / |b| in the Euclidean norm (|a - b| where b is zero).
struct Difference {
  std::string output;
  double relative = 0;
};

/// Errors: Refusal when they do not have the same outputs of the same sizes.
Difference largest_difference(const std::vector<NamedOutput>& a, const std::vector<NamedOutput>& b);

/// Rounding alone stays below it: 1e-4 for float32, 5e-3 for TF32 and float16, 4e-2 for bfloat16.
/// With ReLU at least 5e-3: its derivative jumps, so that a sum that rounds to the other side of
/// zero changes a whole row.
double allowed_difference(const RecurrentConfig& config);

/// For each output its norm and eight projections on signs (those of random_numbers.h, stream
/// `signs`, index 8 j + k for element j and projection k): what bench/pytorch_peer.py compares.
nlohmann::ordered_json digest(const std::vector<NamedOutput>& outputs);

}  // namespace sluice::bench
