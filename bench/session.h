// One run of the benchmarks: the device, its peers, and what has been measured so far.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/layers/input_ring.h"
#include "bench/layers/layer_problem.h"
#include "bench/limits/limits.h"
#include "bench/options.h"
#include "bench/peers/layer_peer.h"
#include "bench/report/report.h"
#include "host/device.h"

namespace sluice::bench {

/// What measure_layer() is to time. Its entries are called <suite>/<group><problem>/<peer>.
struct LayerMeasurement {
  std::string suite;
  LayerProblem problem;
  std::string group = {};
  /// Names as of --peers, the first of them Sluice as "sluice:...", which the report calls
  /// "sluice"; empty: those of the session.
  std::vector<std::string> peers = {};
  /// Added to the entries of the peer of that name.
  std::map<std::string, nlohmann::ordered_json> fields = {};
  /// Also time the product outside the time loop alone, so that the report can say what is left
  /// without it.
  bool with_input_product = false;
  bool with_digest = true;  ///< of Sluice's outputs, for pytorch_peer.py
};

class Session {
 public:
  /// Errors: usage for a device, peer or algorithm that does not exist.
  explicit Session(const Options& options);

  const Options& options() const { return options_; }
  const Queue& queue() const { return device_.queue(); }
  const Limits& limits() const { return limits_; }
  Report& report() { return report_; }

  /// How many benchmarks failed while they were timed; a refusal is no failure.
  int failures() const { return failures_; }
  /// The whole of a case failed, so that nothing else says so.
  void add_failure(const std::string& suite, const std::string& problem,
                   const std::string& message);

  /// Adds to the entries' fields what follows from the medians: seconds, one for each entry, NaN
  /// for one that failed.
  using Annotate =
      std::function<void(std::vector<Entry>& entries, const std::vector<double>& medians)>;

  /// Times what each entry names, in turn; passes[i] belongs to entries[i]. The entries enter the
  /// report in their order, one that throws meanwhile with its message. `graphs`: whether passes
  /// may be recorded, which wait for nothing.
  void measure(std::vector<Entry> entries, const std::vector<Pass>& passes,
               const Annotate& annotate = {}, bool graphs = false);

  /// Compares every implementation's outputs with Sluice's, then times those that agree, in turn.
  /// The others enter the report with their message.
  void measure_layer(const LayerMeasurement& measurement);

  /// Several problems of Sluice's own layer, timed in turn, as <suite>/<group>/<problem>. Those
  /// that cannot be prepared enter the report with their message, and the others are timed.
  void measure_together(const std::string& suite, const std::string& group,
                        const std::vector<LayerProblem>& problems, const Annotate& annotate = {});

 private:
  /// The inputs of what reads numbers of `type`.
  InputRing& ring(DataType type);

  Options options_;
  Device device_;
  std::vector<std::unique_ptr<LayerPeer>> peers_;  // the first is Sluice
  std::map<DataType, InputRing> rings_;
  Limits limits_;
  Report report_;
  int failures_ = 0;
};

}  // namespace sluice::bench
