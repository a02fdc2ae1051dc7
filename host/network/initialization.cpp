#include "host/network/initialization.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/base/error.h"
#include "kernels/base/philox.h"

namespace sluice {
namespace {

// Number i of a tensor: the word i%4 of block i/4 of its stream.
class Draws {
 public:
  Draws(std::uint64_t seed, std::size_t tensor)
      : random_{seed, 0x494E4954u + static_cast<std::uint32_t>(tensor)} {}

  double uniform(double limit) { return limit * (2.0 * Philox::uniform(word()) - 1.0); }

  // Box & Muller 1958; 1 - u is never 0.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Philox::uniform(word())));
    return radius * std::cos(2.0 * std::numbers::pi * Philox::uniform(word()));
  }

 private:
  std::uint32_t word() {
    if (used_ == 4) {
      block_ = random_.block(static_cast<std::uint32_t>(next_ >> 32), 0,
                             static_cast<std::uint32_t>(next_));
      ++next_;
      used_ = 0;
    }
    return block_.word[used_++];
  }

  RandomStream random_;
  Philox::Block block_{};
  std::uint64_t next_ = 0;
  int used_ = 4;
};

// A random [rows, columns] matrix whose columns are orthonormal (rows >= columns): Gram-Schmidt on
// normal numbers, each column twice so that rounding does no harm.
std::vector<float> orthonormal_columns(std::int64_t rows, std::int64_t columns, Draws& draws) {
  std::vector<std::vector<double>> basis;
  for (std::int64_t j = 0; j < columns; ++j) {
    std::vector<double> column(static_cast<std::size_t>(rows));
    for (double& value : column) value = draws.normal();
    for (int pass = 0; pass < 2; ++pass) {
      for (const std::vector<double>& earlier : basis) {
        double product = 0.0;
        for (std::size_t i = 0; i < column.size(); ++i) product += earlier[i] * column[i];
        for (std::size_t i = 0; i < column.size(); ++i) column[i] -= product * earlier[i];
      }
    }
    double squares = 0.0;
    for (const double value : column) squares += value * value;
    for (double& value : column) value /= std::sqrt(squares);
    basis.push_back(std::move(column));
  }
  std::vector<float> matrix(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    for (std::size_t j = 0; j < basis.size(); ++j) {
      matrix[i * basis.size() + j] = static_cast<float>(basis[j][i]);
    }
  }
  return matrix;
}

// Of a recurrent layer's input: weight_ih, or the table that stands for it with one-hot input.
bool is_input(const ParameterRole& role) {
  return role.kind == ParameterKind::input_matrix ||
         (role.kind == ParameterKind::table && role.layer >= 0);
}

// The fan that PyTorch takes the root of: every tensor of a recurrent layer goes by H, of a dense
// layer by what its matrix reads.
std::int64_t pytorch_fan(const ParameterRole& role) {
  return role.layer >= 0 ? role.gate_rows : role.fan_in;
}

void fill_pytorch(const ParameterView& view, Draws draws, float* to) {
  const bool embedding = view.role.kind == ParameterKind::table && !is_input(view.role);
  const double limit = 1.0 / std::sqrt(static_cast<double>(pytorch_fan(view.role)));
  for (std::int64_t i = 0; i < view.size(); ++i) {
    to[i] = static_cast<float>(embedding ? draws.normal() : draws.uniform(limit));
  }
}

double keras_limit(const ParameterRole& role) {
  if (role.kind == ParameterKind::table && !is_input(role)) return 0.05;
  const std::int64_t fans =
      role.kind == ParameterKind::unit_weight ? 2 * role.gate_rows : role.fan_in + role.fan_out;
  return std::sqrt(6.0 / static_cast<double>(fans));
}

void fill_keras(const CellSpec& cell, const ParameterView& view, Draws draws, float* to) {
  const ParameterRole& role = view.role;
  switch (role.kind) {
    case ParameterKind::bias:
    case ParameterKind::recurrent_bias: std::fill_n(to, view.size(), 0.0f); return;
    case ParameterKind::input_bias:
      for (std::int64_t i = 0; i < view.size(); ++i) {
        to[i] = i / role.gate_rows == cell.forget_gate ? 1.0f : 0.0f;
      }
      return;
    case ParameterKind::recurrent_matrix: {
      const std::vector<float> matrix = orthonormal_columns(view.shape[0], view.shape[1], draws);
      std::copy(matrix.begin(), matrix.end(), to);
      return;
    }
    case ParameterKind::table:
    case ParameterKind::matrix:
    case ParameterKind::input_matrix:
    case ParameterKind::unit_weight: break;
  }
  const double limit = keras_limit(role);
  for (std::int64_t i = 0; i < view.size(); ++i) to[i] = static_cast<float>(draws.uniform(limit));
}

void fill_diagonal(const ParameterView& view, Draws draws, float* to) {
  for (std::int64_t i = 0; i < view.size(); ++i) {
    to[i] = static_cast<float>(0.5 + draws.uniform(0.5));
  }
}

}  // namespace

const char* name_of(Initialization initialization) {
  return initialization == Initialization::pytorch ? "pytorch" : "keras";
}

Initialization initialization_from_name(const std::string& name) {
  if (name == "pytorch") return Initialization::pytorch;
  if (name == "keras") return Initialization::keras;
  throw Error::usage("init must be pytorch or keras, got '" + name + "'");
}

std::vector<float> initial_parameters(const CellSpec& cell, const ParameterLayout& layout,
                                      Initialization initialization, std::uint64_t seed) {
  std::vector<float> parameters(static_cast<std::size_t>(layout.size), 0.0f);
  for (std::size_t i = 0; i < layout.views.size(); ++i) {
    const ParameterView& view = layout.views[i];
    float* const to = parameters.data() + view.offset;
    if (view.role.kind == ParameterKind::unit_weight && !cell.recurrent_matrix) {
      fill_diagonal(view, Draws(seed, i), to);
    } else if (initialization == Initialization::pytorch) {
      fill_pytorch(view, Draws(seed, i), to);
    } else {
      fill_keras(cell, view, Draws(seed, i), to);
    }
  }
  return parameters;
}

}  // namespace sluice
