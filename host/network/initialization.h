// The weights a training begins with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/network/model_config.h"
#include "host/network/parameters.h"

namespace sluice {

enum class Initialization {
  /// embedding N(0, 1); recurrent weights and biases U(+-1/sqrt(H)); head U(+-1/sqrt(F)).
  pytorch,
  /// embedding U(+-0.05); input weights Glorot uniform, U(+-sqrt(6/(fan_in + G*H))); recurrent
  /// weights orthogonal (Saxe et al. 2014); biases 0, LSTM's forget bias 1 (Jozefowicz et al.
  /// 2015); head Glorot uniform.
  keras,
};

const char* name_of(Initialization initialization);
/// Errors: usage, naming the choices.
Initialization initialization_from_name(const std::string& name);

/// The flat buffer (see ParameterLayout), made on the host from Philox numbers, so that it is the
/// same for every device. Tensor i of the layout has a stream of its own.
std::vector<float> initial_parameters(const ModelConfig& config, const ParameterLayout& layout,
                                      Initialization initialization, std::uint64_t seed);

}  // namespace sluice
