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

/// Those of these names; the first, one of Sluice's, is called "sluice". Errors: likewise.
std::vector<std::unique_ptr<LayerPeer>> make_named_peers(const Queue& queue,
                                                         const std::vector<std::string>& names);

}  // namespace sluice::bench
