// From a batch to features of every step: input, recurrent layers, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/recurrent.h"
#include "host/data/batches.h"
#include "host/network/batch_placement.h"
#include "host/network/device_memory.h"
#include "host/network/dropout_source.h"
#include "host/network/model_config.h"
#include "host/network/precision.h"
#include "host/network/weights.h"

namespace sluice {

/// Owns no weights: they come with each pass. Buffers grow by reserve(), else nothing is allocated.
/// No pass waits for the device.
class Network {
 public:
  /// `memory` holds its buffers and must outlive it, as must `queue`'s Device.
  /// Errors: usage if `config` or `precision` is invalid.
  Network(const Queue& queue, const ModelConfig& config, const Precision& precision,
          DeviceMemory& memory);

  /// The recurrent layers as the engine has them.
  const RecurrentConfig& recurrent() const { return plan_.config(); }

  void reserve(const PassShape& largest);
  /// Of batches up to that shape: workspace of a pass, and numbers that place() takes.
  std::size_t workspace_bytes(const PassShape& largest) const;
  std::size_t placed_numbers(const PassShape& largest) const;

  /// What passes want of a batch's distinct tokens. Where a batch comes without, place() searches.
  DistinctSearch distinct_search(bool training) const;

  /// Takes a batch for the passes to come; between begin() and send() of `placement`.
  /// Errors: usage when it holds tokens for frames, frames for tokens, or frames of another width.
  void place(const Batch& batch, bool training, BatchPlacement& placement);

  /// `dropout` null: an evaluation.
  void forward(const Weights& weights, const DropoutSource* dropout, const Workspace& workspace);
  /// After a forward pass with dropout and with dy() written; overwrites all of the network's
  /// gradients.
  void backward(const Weights& weights, const DropoutSource& dropout, const Workspace& workspace);

  /// Of the batch placed last.
  const Sequences& sequences() const { return sequences_; }
  const void* y() const { return y_.data(); }  ///< [N, F] of the precision's type
  void* dy() const { return dy_.data(); }      ///< the same, in training
  const void* dx() const {
    return dx_.data();
  }  ///< [N, E] after backward(); of frames [N, F] after
     ///< keep_input_gradients() alone

  /// From now on every token of a batch has a row of its own in x and dx. Without this, passes that
  /// can do so embed and multiply each word of a batch once (SharedInput in engine/recurrent.h):
  /// those without dropout on the input whose words stand twice on average. Of frames there is no
  /// dx without this, which comes before reserve().
  void keep_input_gradients() { shares_inputs_ = false; }

 private:
  void check_input(const Batch& batch) const;
  void place_tokens(const Batch& batch, bool training, BatchPlacement& placement);
  PassShape with_shared_rows(const PassShape& shape) const;
  void embed(const Weights& weights);
  bool reads_placed_frames() const {
    return config_.has_frames() && !is_16_bit(precision_.data_type);
  }
  const void* input(const Weights& weights) const;
  void* input_gradient(const Weights& weights) const;
  void embed_back(const Weights& weights, const Workspace& workspace);
  const void* recurrent_weights(const Weights& weights) const;
  void round_recurrent_weights(const Weights& weights);

  Queue queue_;
  ModelConfig config_;
  Precision precision_;
  RecurrentPlan plan_;
  DistinctFinder finder_;  // for batches that come without their distinct tokens
  DistinctTokens found_;
  bool shares_inputs_ = true;

  // Of the batch placed last.
  Sequences sequences_;
  PlacedNumbers tokens_;  // [N], or [U] distinct ones
  PlacedFrames frames_;   // [N, F], in place of tokens
  SharedInput shared_;    // with distinct tokens, or one-hot

  Buffer& rounded_;  // the recurrent weights of a 16-bit type; else empty
  Buffer &x_, &dx_;  // [N, E] or [U, E], or [N, F] of frames, of data_type; float32 frames are
                     // read where they are placed
  Buffer &y_, &dy_;  // [N, F], of data_type
  Buffer& reserve_;
};

}  // namespace sluice
