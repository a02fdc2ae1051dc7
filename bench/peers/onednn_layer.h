// oneDNN's RNN primitive on the CPU: LSTM, GRU with linear before reset, vanilla; equal lengths.
//
// Its best settings: weights in the arrangement it asks for (format any), reordered once outside
// the timing, separately for forward and backward; primitives and scratchpad made beforehand; as
// many OpenMP threads as Sluice has. Its weight gradients are added to what is there: they are zero
// when outputs are compared, and left to grow while it is timed, so that clearing costs it nothing.
#pragma once

#include <memory>

#include "bench/peers/layer_peer.h"

namespace sluice::bench {

std::unique_ptr<LayerPeer> onednn_peer(const Queue& queue);

}  // namespace sluice::bench
