// Which implementations take part.
#pragma once

#include <memory>
#include <vector>

#include "bench/options.h"
#include "bench/peers/layer_peer.h"

namespace sluice::bench {

/// Sluice first, then those that options.peers names, or all there are for the queue's device.
/// Errors: usage for a name that nobody has.
std::vector<std::unique_ptr<LayerPeer>> make_peers(const Queue& queue, const Options& options);

}  // namespace sluice::bench
