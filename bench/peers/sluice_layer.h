// Sluice's own layer, as the engine runs it by itself or with an algorithm asked for by name.
#pragma once

#include <memory>
#include <string>

#include "bench/peers/layer_peer.h"

namespace sluice::bench {

/// `algorithm`: "" or "automatic" for the engine's choice, "own" for its choice among Sluice's own
/// kernels, cuDNN's left out, else the name of one.
/// Errors: usage for a name that no algorithm has.
std::unique_ptr<LayerPeer> sluice_peer(const Queue& queue, const std::string& algorithm);

}  // namespace sluice::bench
