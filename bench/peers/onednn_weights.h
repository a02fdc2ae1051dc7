// Sluice's flat parameters in oneDNN's gate order, and gradients back.
#pragma once

#include <vector>

#include "engine/recurrent.h"

namespace sluice::bench {

/// Of all layers and directions, each gate's matrix row-major: oneDNN's format ldgoi. Gates: LSTM
/// i,f,g,o; GRU u(=z),r,o(=n); biases: LSTM and RNN the sum of both, GRU u,r,o and bRn.
struct OnednnWeights {
  std::vector<float> layer;  ///< [L, D, G, H, I]
  std::vector<float> iter;   ///< [L, D, G, H, H]
  std::vector<float> bias;   ///< [L, D, G, H]; GRU [L, D, 4, H]
};

OnednnWeights to_onednn(const RecurrentConfig& config, const std::vector<float>& parameters);

/// Gradients; that of a sum of two biases is the gradient of both.
std::vector<float> from_onednn(const RecurrentConfig& config, const OnednnWeights& gradients);

}  // namespace sluice::bench
