// One run of the benchmarks: the device, its peers, and what has been measured so far.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/layers/input_ring.h"
#include "bench/layers/layer_problem.h"
#include "bench/options.h"
#include "bench/peers/layer_peer.h"
#include "bench/report/report.h"
#include "host/device.h"

namespace sluice::bench {

class Session {
 public:
  /// Errors: usage for a device, peer or algorithm that does not exist.
  explicit Session(const Options& options);

  const Options& options() const { return options_; }
  const Queue& queue() const { return device_.queue(); }
  Report& report() { return report_; }

  /// Compares every implementation's outputs with Sluice's, then times those that agree, in turn.
  /// The others enter the report with their message.
  void measure_layer(const std::string& suite, const LayerProblem& problem);

 private:
  Options options_;
  Device device_;
  std::vector<std::unique_ptr<LayerPeer>> peers_;  // the first is Sluice
  InputRing ring_;
  Report report_;
};

}  // namespace sluice::bench
