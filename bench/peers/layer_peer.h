// What can run a LayerProblem: Sluice itself, and the libraries it is measured beside.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/layers/input_ring.h"
#include "bench/layers/layer_problem.h"
#include "kernels/base/queue.h"

namespace sluice::bench {

/// Why a peer does not run a problem, in its own words where it has some.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One output on the host, in Sluice's arrangement (engine/recurrent.h).
struct NamedOutput {
  std::string name;  ///< "y", "dx", or a parameter's gradient: "d weight_hh_l0"
  std::vector<float> values;
};

/// One implementation, ready to run one problem: memory, descriptors and packed weights made.
class PreparedLayer {
 public:
  virtual ~PreparedLayer() = default;

  /// Enqueues one pass on the `pass`-th inputs of the ring.
  virtual void run(std::uint64_t pass) = 0;

  /// Runs pass 0 afresh and fetches what came out; not timed.
  virtual std::vector<NamedOutput> outputs() = 0;

  virtual std::string algorithm() const = 0;  ///< which of its ways it takes
  virtual std::size_t bytes() const = 0;      ///< memory it holds for this problem besides x and dy
};

struct LayerPeer {
  std::string name;     ///< "sluice", "sluice:stepwise", "onednn", "cudnn:persist_static", ...
  std::string version;  ///< of the library
  std::string absent;   ///< why it cannot be used here at all; empty if it can

  virtual ~LayerPeer() = default;

  /// `parameters`: Sluice's flat buffer on the host. `ring` has room and outlives what is made.
  /// Errors: Refusal when it does not run such a problem.
  virtual std::unique_ptr<PreparedLayer> prepare(const LayerProblem& problem,
                                                 const std::vector<float>& parameters,
                                                 const InputRing& ring) const = 0;
};

}  // namespace sluice::bench
