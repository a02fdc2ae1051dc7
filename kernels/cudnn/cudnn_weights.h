// Where the parameters of a stack of layers lie in cuDNN's weight space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cudnn/cudnn.h"

namespace sluice {

/// `count` numbers that follow each other on both sides.
struct CudnnWeightRange {
  std::int64_t flat = 0;   ///< offset in Sluice's parameters of these layers, in elements
  std::int64_t space = 0;  ///< offset in cuDNN's weight space, in elements
  std::int64_t count = 0;

  bool operator==(const CudnnWeightRange&) const = default;
};

/// What cudnnGetRNNWeightParams is asked for: one gate's matrix [H, columns] or bias [H].
/// cuDNN's linear layers are the gates of W, then those of R, both in Sluice's order of gates.
struct CudnnWeightPart {
  int pseudo_layer = 0;  ///< layer*D + direction
  int linear_layer = 0;  ///< 0..G-1 of W, G..2G-1 of R
  bool bias = false;
  std::int64_t flat = 0;  ///< offset in Sluice's parameters of these layers, in elements
  std::int64_t count = 0;
};

/// In the order of Sluice's parameters: for each layer and direction W, R, bias of W, bias of R.
std::vector<CudnnWeightPart> cudnn_weight_parts(const CudnnRnnConfig& config);

/// Joins neighbours, so that few copies do.
std::vector<CudnnWeightRange> merged(const std::vector<CudnnWeightRange>& ranges);

}  // namespace sluice
