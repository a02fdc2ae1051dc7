// The words that every layer shares: number types, devices, cells.
//
// Shape letters, here and in every comment of the project:
//   T time steps      B batch rows         N packed rows = sum of the rows' lengths (T*B if equal)
//   I input size      H hidden size        E embedding size      V vocabulary size
//   L layers          D directions (1, 2)  C classes or logits
//   G gates of the cell's weights (RNN 1, GRU 3, LSTM 4)
//   S slots of H numbers that a cell saves for its backward pass (RNN 1, GRU 4, LSTM 4)
// Matrices are row-major. A `d` in front of a name is the gradient of the loss by it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

/// How numbers are stored (kernels/number.h has the C++ types). float64 serves gradient checks.
enum class DataType { float32, float64, bfloat16, float16 };

constexpr bool is_16_bit(DataType type) {
  return type == DataType::bfloat16 || type == DataType::float16;
}

constexpr std::size_t size_of(DataType type) {
  return type == DataType::float64 ? 8 : is_16_bit(type) ? 2 : 4;
}

/// What numbers of `type` are computed and added up in, and what is carried from step to step.
constexpr DataType state_type(DataType type) {
  return is_16_bit(type) ? DataType::float32 : type;
}

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

/// Equations in kernels/cells/. Gate order of the weights: LSTM i,f,g,o; GRU r,z,n (PyTorch's, cuDNN's).
enum class Cell {
  rnn_tanh,
  rnn_relu,
  lstm,
  gru,               ///< reset after the product: PyTorch, cuDNN, Keras' reset_after=True
  gru_reset_before,  ///< reset before the product: Cho et al. 2014, Keras' reset_after=False
};

/// G: blocks of H rows in the cell's weight matrices.
constexpr int gate_count(Cell cell) {
  return cell == Cell::lstm ? 4 : cell == Cell::gru || cell == Cell::gru_reset_before ? 3 : 1;
}

/// S: blocks of H numbers that a row of the `gates` buffer holds (see kernels/cell_step.h).
constexpr int slot_count(Cell cell) { return gate_count(cell) == 1 ? 1 : 4; }

constexpr bool has_cell_state(Cell cell) { return cell == Cell::lstm; }

constexpr const char* name_of(Cell cell) {
  switch (cell) {
    case Cell::rnn_tanh: return "rnn_tanh";
    case Cell::rnn_relu: return "rnn_relu";
    case Cell::lstm: return "lstm";
    case Cell::gru: return "gru";
    case Cell::gru_reset_before: return "gru_reset_before";
  }
  return "?";
}

}  // namespace sluice
