// A recurrent layer's two biases made one.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/cells/list.h"

namespace sluice {

/// The one bias that is added to a row's S slots, from PyTorch's two, as the cell's spec says: RNN,
/// LSTM bW + bR; GRU bW + bR for r and z, bW for n, bR for q; 0 for a slot without a bias.
struct CombineBiasesArgs {
  Cell cell = default_cell;
  DataType type = DataType::float32;  ///< of bias_ih and bias_hh
  std::int64_t hidden_size = 0;       ///< H
  const void* bias_ih = nullptr;      ///< [G*H] bW
  const void* bias_hh = nullptr;      ///< [G*H] bR
  void* out = nullptr;                ///< [S*H] of state_type(type)
};

/// Errors: usage on a negative size or a null pointer.
void combine_biases(const Queue& queue, const CombineBiasesArgs& args);

namespace cpu {
void combine_biases(const Queue&, const CombineBiasesArgs&);
}  // namespace cpu
namespace cuda {
void combine_biases(const Queue&, const CombineBiasesArgs&);
}  // namespace cuda

}  // namespace sluice
