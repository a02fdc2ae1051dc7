// One recurrent layer's work: what every implementation is asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/recurrent.h"
#include "engine/sequence_layout.h"

namespace sluice::bench {

/// A pass over equal or ragged rows: forward alone, or forward and backward by everything (x and
/// all parameters), from zero initial states.
struct LayerProblem {
  RecurrentConfig config;
  std::int32_t steps = 0;             ///< T
  std::int32_t batch = 0;             ///< B
  std::vector<std::int32_t> lengths;  ///< [B]; empty: every row has T steps
  bool training = false;

  SequenceLayout layout() const;
  PassShape shape() const;
  std::int64_t rows() const;  ///< N

  /// "lstm/T100/B16/I64/H64/float32", then what is not plain: L2, D2, ragged, dropouts.
  std::string name() const;

  /// Multiplications and additions of the products, per pass: 2 N G H (I + H) for each layer and
  /// direction forward, three times that with the backward pass. Element-wise work is left out.
  double flops() const;
  double input_product_flops() const;  ///< the part of it that multiplies x, dx and dW

  /// Bytes that must cross the memory: x, parameters and y forward; in training x, y, dy, dx,
  /// parameters and their gradients, and the S H (+ H of c) numbers saved for each row, twice.
  double compulsory_bytes() const;
};

/// "tf32" for float32 whose products are TF32, else the type's name.
const char* number_name(const RecurrentConfig& config);

}  // namespace sluice::bench
