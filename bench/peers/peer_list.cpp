#include "bench/peers/peer_list.h"

#include <algorithm>

#include "bench/peers/cudnn_layer.h"
#include "bench/peers/onednn_layer.h"
#include "bench/peers/sluice_layer.h"
#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

const std::string kSluice = "sluice:";
constexpr const char* kCudnn = "cudnn:";

// What follows the prefix; empty if the name has another.
std::string after(const std::string& name, const std::string& prefix) {
  return name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : "";
}

std::unique_ptr<LayerPeer> make_peer(const Queue& queue, const std::string& name) {
  if (name == "onednn") return onednn_peer(queue);
  if (const std::string algorithm = after(name, kSluice); !algorithm.empty())
    return sluice_peer(queue, algorithm);
  if (const std::string algorithm = after(name, kCudnn); !algorithm.empty())
    return cudnn_peer(queue, algorithm);
  throw Error::usage("no peer is called '" + name +
                     "'; there are onednn, cudnn:ALGORITHM, sluice:ALGORITHM and none");
}

std::vector<std::string> default_peers(DeviceKind device) {
  if (device == DeviceKind::cpu) return {"onednn"};
  std::vector<std::string> names;
  for (const std::string& algorithm : cudnn_algorithms()) names.push_back(kCudnn + algorithm);
  return names;
}

}  // namespace

std::vector<std::unique_ptr<LayerPeer>> make_peers(const Queue& queue, const Options& options) {
  std::vector<std::string> names = options.peers;
  if (names.empty()) names = default_peers(queue.device);
  names.erase(std::remove(names.begin(), names.end(), "none"), names.end());
  names.insert(names.begin(), kSluice + (options.algorithm.empty() ? name_of(Algorithm::automatic)
                                                                   : options.algorithm));
  return make_named_peers(queue, names);
}

std::vector<std::unique_ptr<LayerPeer>> make_named_peers(const Queue& queue,
                                                         const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<LayerPeer>> peers;
  for (const std::string& name : names) peers.push_back(make_peer(queue, name));
  peers.front()->name = "sluice";
  return peers;
}

}  // namespace sluice::bench
