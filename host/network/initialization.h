// The weights a training begins with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/network/model_config.h"
#include "host/network/parameters.h"

namespace sluice {

/// What a tensor gets goes by its role (ParameterRole), so that a further cell has nothing to say
/// here. G*H are the rows of its weight_ih, F the features that the head reads.
enum class Initialization {
  /// embedding N(0, 1); of recurrent layers everything U(+-1/sqrt(H)); head U(+-1/sqrt(F)).
  pytorch,
  /// embedding U(+-0.05); input weights Glorot uniform, U(+-sqrt(6/(fan_in + G*H))); recurrent
  /// weights orthogonal (Saxe et al. 2014); biases 0, but 1 of the gate that the cell's spec names
  /// as the forget gate (Jozefowicz et al. 2015); peepholes Glorot uniform as a vector of H
  /// numbers, U(+-sqrt(3/H)), as TensorFlow's PeepholeLSTMCell; head Glorot uniform.
  keras,
};
// In both the diagonal R of a cell without a recurrent matrix is U(0, 1), where Li et al. 2018 have
// U(0, 2^(1/T)): T, the length of the texts, is not known here, and the bound tends to 1.

const char* name_of(Initialization initialization);
/// Errors: usage, naming the choices.
Initialization initialization_from_name(const std::string& name);

/// The flat buffer (see ParameterLayout), made on the host from Philox numbers, so that it is the
/// same for every device. Tensor i of the layout has a stream of its own. `cell`: of its recurrent
/// layers.
std::vector<float> initial_parameters(const CellSpec& cell, const ParameterLayout& layout,
                                      Initialization initialization, std::uint64_t seed);
inline std::vector<float> initial_parameters(const ModelConfig& config,
                                             const ParameterLayout& layout,
                                             Initialization initialization, std::uint64_t seed) {
  return initial_parameters(spec_of(config.cell), layout, initialization, seed);
}

}  // namespace sluice
