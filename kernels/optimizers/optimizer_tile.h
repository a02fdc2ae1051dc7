// Optimiser updates of one tile of numbers, for each instruction set.
#pragma once

#include <cstdint>

#include "kernels/optimizers/optimizer_update.h"

namespace sluice {

/// The arrays of a tile: parameters, gradients and up to two states (see
/// kernels/optimizers/optimizer.h).
template <class T>
struct OptimizerTile {
  std::int64_t count = 0;
  T* parameters = nullptr;
  const T* gradients = nullptr;
  T* state1 = nullptr;  ///< SGD: velocity; RMSprop: square average; Adam: average
  T* state2 = nullptr;  ///< RMSprop: velocity; Adam: square average
};

#define SLUICE_DECLARE_OPTIMIZER_TILES(T)                                    \
  void sgd_tile(const OptimizerTile<T>&, const SgdCoefficients<T>&);         \
  void rmsprop_tile(const OptimizerTile<T>&, const RmspropCoefficients<T>&); \
  void adam_tile(const OptimizerTile<T>&, const AdamCoefficients<T>&);
namespace isa_baseline {
SLUICE_DECLARE_OPTIMIZER_TILES(float)
SLUICE_DECLARE_OPTIMIZER_TILES(double)
}  // namespace isa_baseline
namespace isa_avx2 {
SLUICE_DECLARE_OPTIMIZER_TILES(float)
SLUICE_DECLARE_OPTIMIZER_TILES(double)
}  // namespace isa_avx2
namespace isa_avx512 {
SLUICE_DECLARE_OPTIMIZER_TILES(float)
SLUICE_DECLARE_OPTIMIZER_TILES(double)
}  // namespace isa_avx512
#undef SLUICE_DECLARE_OPTIMIZER_TILES

}  // namespace sluice
