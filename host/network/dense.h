// A dense layer over rows of features, in float32.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/recurrent.h"
#include "host/network/weights.h"
#include "kernels/base/queue.h"

namespace sluice {

/// y [N, O] = x [N, F] weight^T + bias, with the tensors head.weight [O, F] and head.bias [O].
struct Dense {
  std::int64_t inputs = 0;   ///< F
  std::int64_t outputs = 0;  ///< O
  MatrixMath math = MatrixMath::ieee;

  /// In the order in which they stand in the flat buffer.
  std::vector<ParameterView> parameters() const;

  void forward(const Queue& queue, const Weights& weights, std::int64_t rows, const float* x,
               float* y) const;

  std::size_t workspace_bytes(std::int64_t rows) const;
  /// Overwrites the two gradients, and dx [N, F].
  void backward(const Queue& queue, const Weights& weights, std::int64_t rows, const float* x,
                const float* dy, float* dx, const Workspace& workspace) const;
};

}  // namespace sluice
