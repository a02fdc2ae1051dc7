// Dropout with masks that stay the same over time (Gal & Ghahramani 2016).
//
// Public API.
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/base/philox.h"
#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"

namespace sluice {

/// y[n, u] = x[n, u] * factor(row, u), where `row` is the row as the caller gave it (order[r]) of
/// packed row n. The factor is 1/(1-rate) if Philox::uniform of word u%4 of
/// random.block(0, row, u/4) is >= rate, else 0, so it does not depend on how rows were sorted.
/// Nothing is stored: the same call on the gradient is the backward pass.
struct DropoutRowsArgs {
  DataType type = DataType::float32;
  Sequences sequences = {};
  std::int32_t begin = 0;  ///< only the rows of steps [begin, end): by default all
  std::int32_t end = std::numeric_limits<std::int32_t>::max();
  std::int64_t columns = 0;
  double rate = 0.0;  ///< in [0, 1)
  RandomStream random = {};
  const void* x = nullptr;  ///< [N, columns], whatever the steps
  void* y = nullptr;        ///< [N, columns]; may be x
};

/// The same factors as an array, for the cell step: mask[g, b, u] is the factor of unit g*H + u of
/// row order[b].
struct DropoutMaskArgs {
  DataType type = DataType::float32;
  std::int64_t planes = 0;   ///< G
  std::int64_t rows = 0;     ///< B
  std::int64_t columns = 0;  ///< H
  double rate = 0.0;         ///< in [0, 1)
  RandomStream random = {};
  const std::int32_t* order = nullptr;  ///< [B]; null means order[b] = b
  void* mask = nullptr;                 ///< [G, B, H]
};

/// Errors: usage on a rate outside [0, 1), a negative size or a null pointer.
void dropout_rows(const Queue& queue, const DropoutRowsArgs& args);
void dropout_mask(const Queue& queue, const DropoutMaskArgs& args);

namespace cpu {
void dropout_rows(const Queue&, const DropoutRowsArgs&);
void dropout_mask(const Queue&, const DropoutMaskArgs&);
}  // namespace cpu
namespace cuda {
void dropout_rows(const Queue&, const DropoutRowsArgs&);
void dropout_mask(const Queue&, const DropoutMaskArgs&);
}  // namespace cuda

}  // namespace sluice
