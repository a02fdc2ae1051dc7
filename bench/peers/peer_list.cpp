#include "bench/peers/peer_list.h"

#include "bench/peers/onednn_layer.h"
#include "bench/peers/sluice_layer.h"
#include "kernels/error.h"

namespace sluice::bench {
namespace {

constexpr const char* kForced = "sluice:";

std::unique_ptr<LayerPeer> make_peer(const Queue& queue, const std::string& name) {
  if (name == "onednn") return onednn_peer(queue);
  if (name.rfind(kForced, 0) == 0)
    return sluice_peer(queue, name.substr(std::string(kForced).size()));
  throw Error::usage("no peer is called '" + name +
                     "'; there are onednn, sluice:ALGORITHM and none");
}

}  // namespace

std::vector<std::unique_ptr<LayerPeer>> make_peers(const Queue& queue, const Options& options) {
  std::vector<std::unique_ptr<LayerPeer>> peers;
  peers.push_back(sluice_peer(queue, options.algorithm));
  peers.front()->name = "sluice";
  std::vector<std::string> names = options.peers;
  if (names.empty() && queue.device == DeviceKind::cpu) names = {"onednn"};
  for (const std::string& name : names) {
    if (name != "none") peers.push_back(make_peer(queue, name));
  }
  return peers;
}

}  // namespace sluice::bench
