// How the steps of a layer run: an object an algorithm, made for one pass, which decides when it is
// made what there is to decide. A new one is a file in this folder, a name in Algorithm and a line
// in time_loop.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/loops/carver.h"
#include "engine/recurrent.h"
#include "kernels/base/queue.h"
#include "kernels/time_loops/persistent/persistent.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {

/// What holds of an algorithm whatever it is asked for.
struct AlgorithmTraits {
  const char* name = "";
  bool on_cpu = false, on_cuda = false;
  /// One launch takes both directions of a layer, and all steps unless layers overlap.
  bool one_launch = false;
};
const AlgorithmTraits& traits_of(Algorithm algorithm);

/// What a loop is made for.
struct LoopRequest {
  RecurrentConfig config;
  DeviceKind device = DeviceKind::cpu;
  RecurrentPass pass = RecurrentPass::forward;
  std::int64_t batch = 0;  ///< B
  bool drops = true;       ///< a training pass that drops

  /// Whether a mask multiplies what enters R.
  bool masks() const { return drops && config.unit_options().masks(); }
  /// Whether some of the unit options is on.
  bool draws() const { return masks() || config.unit_options().wrap(); }
  RecurrenceShape shape() const {
    return {config.cell, config.data_type, config.hidden_size, config.math};
  }
};

/// A loop's own part of the workspace for one direction; each takes what it uses.
struct LoopMemory {
  void* packed = nullptr;     ///< R as the loop arranges it
  void* scratch = nullptr;    ///< row_blocks: recurrence_scratch_bytes(); persistent: exchange
  void* h_operand = nullptr;  ///< stepwise, forward: see kernels/time_loops/cell_step.h
  void* d_masked = nullptr;   ///< stepwise, backward: [G, B, H] with a mask; of state_type
  void* d_operand = nullptr;  ///< stepwise, backward: [B, H] of cells of two phases; of state_type
};

/// One direction of a layer over a chunk of steps.
template <class Recurrence>
struct LoopArgs {
  Recurrence recurrence;
  const void* weight_hh = nullptr;  ///< [G*H, H] as it stands
  LoopMemory memory;
  /// Forward, of a loop that gathers: packed row n reads row input_index[n] of `inputs` [U, G*H],
  /// of data_type. Null, both: what the gates' slots hold.
  const void* inputs = nullptr;
  const std::int32_t* input_index = nullptr;  ///< [N]
};
using LoopForwardArgs = LoopArgs<RecurrenceForwardArgs>;
using LoopBackwardArgs = LoopArgs<RecurrenceBackwardArgs>;

class TimeLoop {
 public:
  explicit TimeLoop(const LoopRequest& request) : request_(request) {}
  virtual ~TimeLoop() = default;

  const LoopRequest& request() const { return request_; }
  /// Why it cannot do what it was made for; empty if it can.
  virtual std::string why_not() const { return ""; }
  /// Whether it reads the mask on what enters R as an array; else it draws it.
  virtual bool reads_mask() const { return true; }
  /// Whether it fetches the rows of a shared input itself.
  virtual bool gathers() const { return false; }
  /// Lines for people: how it divides the work. Empty if there is nothing to say.
  virtual std::string describe() const { return ""; }

  virtual void take(Carver& carver, LoopMemory& memory) const = 0;
  /// What is done once for each direction of each layer, before its first chunk.
  virtual void prepare(const Queue&, const void* /*weight_hh*/, const LoopMemory&) const {}
  /// One direction; with one_launch all of a layer. Of the two, that of its pass.
  virtual void run(const Queue& queue, std::span<const LoopForwardArgs> directions) const = 0;
  virtual void run(const Queue& queue, std::span<const LoopBackwardArgs> directions) const = 0;

 protected:
  bool backward() const { return request_.pass == RecurrentPass::backward; }

  const LoopRequest request_;
};

/// Not of cuDNN, which takes whole layers: see engine/loops/cudnn_pass.h.
std::unique_ptr<const TimeLoop> time_loop(Algorithm algorithm, const LoopRequest& request);

/// Why an algorithm cannot train `config` on `device`, whatever the batch; empty if it can. Whether
/// cuDNN is there is not asked: cudnn_presence() says it.
std::string why_not(Algorithm algorithm, const RecurrentConfig& config, DeviceKind device);

}  // namespace sluice
