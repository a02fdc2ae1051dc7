// A model's weights: one flat buffer, and who is where in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/recurrent.h"
#include "host/network/model_config.h"

namespace sluice {

/// In this order: embedding.weight [V, E], or with one-hot input rnn.gate_table_l0 [V, G*H] (and
/// _reverse), or with frames nothing; rnn.<PyTorch's name> for each tensor of the recurrent layers;
/// the task's head. The three parts begin at multiples of 64 numbers; the gaps hold zeros, and stay
/// zero. Each tensor has its role; a table of a recurrent layer (role.layer 0) is the input matrix
/// of one-hot input, turned.
struct ParameterLayout {
  std::vector<ParameterView> views;  ///< offsets into the flat buffer
  std::int64_t recurrent = 0;        ///< where the recurrent layers' own flat buffer begins
  std::int64_t size = 0;             ///< numbers in the flat buffer, gaps included
  std::int64_t weights = 0;          ///< numbers without the gaps

  /// `head`: the tensors of the task's head (Task::head_parameters()); their offsets are not read.
  ParameterLayout(const ModelConfig& config, const std::vector<ParameterView>& head);

  /// Errors: usage when there is no such tensor.
  const ParameterView& view(const std::string& name) const;
};

}  // namespace sluice
