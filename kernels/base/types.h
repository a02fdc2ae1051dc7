// The words that every layer shares: number types and devices.
//
// Shape letters, here and in every comment of the project:
//   T time steps      B batch rows         N packed rows = sum of the rows' lengths (T*B if equal)
//   I input size      H hidden size        E embedding size      V vocabulary size
//   L layers          D directions (1, 2)  C classes or logits
//   G gates of a cell's weights (kernels/cells/cell.h)
//   S slots of H numbers that a cell saves for its backward pass
//   P weights of each unit alone, beside the matrices
// Matrices are row-major. A `d` in front of a name is the gradient of the loss by it.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

/// How numbers are stored (kernels/base/number.h has the C++ types). float64 serves gradient
/// checks.
enum class DataType { float32, float64, bfloat16, float16 };

constexpr bool is_16_bit(DataType type) {
  return type == DataType::bfloat16 || type == DataType::float16;
}

constexpr std::size_t size_of(DataType type) {
  return type == DataType::float64 ? 8 : is_16_bit(type) ? 2 : 4;
}

/// What numbers of `type` are computed and added up in, and what is carried from step to step.
constexpr DataType state_type(DataType type) { return is_16_bit(type) ? DataType::float32 : type; }

constexpr const char* name_of(DataType type) {
  switch (type) {
    case DataType::float32: return "float32";
    case DataType::float64: return "float64";
    case DataType::bfloat16: return "bfloat16";
    case DataType::float16: return "float16";
  }
  return "?";
}

/// How float32 matrices are multiplied. `tf32` rounds the factors to 10 bits of fraction where the
/// device multiplies such numbers faster: CUDA. The CPU's products are IEEE float32 all the same,
/// and other types do not look at it.
enum class MatrixMath { ieee, tf32 };

enum class DeviceKind { cpu, cuda };

}  // namespace sluice
