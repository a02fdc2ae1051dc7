// cuDNN's recurrent layers on a GPU, with one of its algorithms forced by name.
//
// Called directly, not through Sluice's engine: weights are brought into cuDNN's arrangement once,
// outside the timing, and gradients of weights are left in it. Ragged rows go in packed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/peers/layer_peer.h"

namespace sluice::bench {

/// "standard", "persist_static", "persist_dynamic", "persist_static_small_h".
std::vector<std::string> cudnn_algorithms();

/// Errors: usage for a name that no algorithm has.
std::unique_ptr<LayerPeer> cudnn_peer(const Queue& queue, const std::string& algorithm);

}  // namespace sluice::bench
