// The number types a model computes with. Its weights are float32 whatever they are.
#pragma once

#include <string>

#include "kernels/base/types.h"

namespace sluice {

/// For a 16-bit type the embeddings, the recurrent layers and their gradients are of that type,
/// with float32 sums and states; the recurrent weights are rounded to it before each pass. The
/// weights themselves, their gradients and the dense head are float32.
struct Precision {
  DataType data_type = DataType::float32;  ///< float32, bfloat16 or float16
  MatrixMath math = MatrixMath::ieee;      ///< tf32: with float32 alone

  /// Errors: usage on float64, and on tf32 with another type than float32.
  void validate() const;
};

/// Errors: usage, naming the choices.
DataType data_type_from_name(const std::string& name);

}  // namespace sluice
