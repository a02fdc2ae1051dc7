// A text classifier on a device: weights, gradients, and the passes over a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/recurrent.h"
#include "host/buffer.h"
#include "host/data/batches.h"
#include "host/network/batch_staging.h"
#include "host/network/model_config.h"
#include "host/network/parameters.h"
#include "host/network/precision.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

/// Where a training pass takes its dropout masks from.
struct DropoutSource {
  std::uint64_t seed = 0;
  const std::uint32_t* step = nullptr;  ///< on the device: steps taken so far; null means 0
};

/// Owns everything a pass needs. Buffers grow when a larger batch comes, else nothing is allocated;
/// reserve() does it ahead. No pass waits for the device, except where it says so.
class Model {
 public:
  /// The weights are uninitialised until set_parameters(). `queue`'s Device must outlive the model.
  /// Errors: usage if `config` or `precision` is invalid; runtime when memory runs out.
  Model(const Queue& queue, const ModelConfig& config, const Precision& precision = {});

  const ModelConfig& config() const { return config_; }
  const Precision& precision() const { return precision_; }
  const ParameterLayout& layout() const { return layout_; }
  const Queue& queue() const { return queue_; }

  /// The flat buffers on the device, layout().size numbers each. The gradients' exist once a
  /// training pass was reserved or run.
  float* parameters() const { return parameters_.as<float>(); }
  float* gradients() const { return gradients_.as<float>(); }

  /// Copies between host and device; download waits for it.
  void set_parameters(const std::vector<float>& values);
  std::vector<float> download_parameters() const;

  /// Exchanges the flat buffer with another of its size, without a copy.
  void swap_parameters(Buffer& other);

  /// Room for batches of up to shape.rows tokens, shape.steps steps and shape.batch rows.
  void reserve(const PassShape& shape);

  /// What passes want of a batch's distinct tokens. Where a batch comes without, the pass searches.
  DistinctSearch distinct_search(bool training) const;

  /// Brings a batch to the device for train_pass(), and may allocate. `batch` must live, unchanged,
  /// until that pass is enqueued. Errors: usage if it has no labels.
  void load(const Batch& batch);

  /// Of the loaded batch: forward with dropout, mean loss, backward into gradients(). Adds to
  /// `totals` [3] on the device: sum of the losses, rows classified rightly, rows. The gradients
  /// are those of the loss times `loss_scale` (on the device; null means 1). Allocates nothing.
  void train_pass(const DropoutSource& dropout, double* totals,
                  const LossScale* loss_scale = nullptr);
  void train_pass(const Batch& batch, const DropoutSource& dropout, double* totals,
                  const LossScale* loss_scale = nullptr) {
    load(batch);
    train_pass(dropout, totals, loss_scale);
  }

  /// What the launches of train_pass() depend on: with the same numbers (and arguments) it enqueues
  /// the same ones. For the loaded batch.
  std::vector<std::int64_t> pass_signature() const;

  /// Forward without dropout. `totals` as above, or null; a batch without labels adds nothing.
  void forward_pass(const Batch& batch, double* totals);

  /// Of the last pass, by sorted row; these wait for the device.
  std::vector<float> download_probabilities() const;   ///< [B, logits()]; with one: of class 1
  std::vector<float> download_input_gradient() const;  ///< [N, E] of the last train_pass(), after
                                                       ///< keep_input_gradients(). Errors: usage
                                                       ///< with one-hot input

  /// From now on every token of a batch has a row of its own in x and dx. Without this, passes that
  /// can do so embed and multiply each word of a batch once (SharedInput in engine/recurrent.h):
  /// those without dropout on the input whose words stand twice on average.
  void keep_input_gradients() { shares_inputs_ = false; }

  /// Device memory held, in bytes.
  std::size_t bytes() const;

 private:
  /// A batch as the device sees it.
  struct Inputs {
    Sequences sequences;
    Sequences features;                    // the pooled rows: B of one step; with head dropout only
    const std::int32_t* tokens = nullptr;  // [N], or [U] distinct ones
    std::int64_t token_count = 0;
    SharedInput shared;                    // with distinct tokens
    const std::int32_t* labels = nullptr;  // [B]; null without labels
  };

  Sequences place_sequences(const SequenceLayout& layout);
  const std::int32_t* place_numbers(const std::vector<std::int32_t>& values);
  void place_tokens(const Batch& batch, bool training, Inputs& inputs);
  Inputs place(const Batch& batch, bool training);
  void embed(const Inputs& inputs);
  void recur(const Inputs& inputs, const DropoutSource* dropout);
  void pool_and_classify(const Inputs& inputs, const DropoutSource* dropout);
  void compute_loss(const Inputs& inputs, double* totals, const LossScale* loss_scale);
  void backward_from_loss(const Inputs& inputs, const DropoutSource& dropout);
  void embed_back(const Inputs& inputs);
  void drop_features(const Inputs& inputs, const DropoutSource& dropout, const Buffer& features);

  void round_recurrent_weights();
  const void* recurrent_weights() const;
  const float* weight(const char* name) const;
  float* gradient(const char* name) const;

  Queue queue_;
  ModelConfig config_;
  Precision precision_;
  ParameterLayout layout_;
  RecurrentPlan plan_;
  PassShape reserved_;
  bool shares_inputs_ = true;
  DistinctFinder finder_;  // for batches that come without their distinct tokens
  DistinctTokens found_;
  std::int64_t rows_ = 0;  // of the last pass
  std::int64_t batch_ = 0;
  Inputs loaded_;                // by load()
  std::int64_t generation_ = 0;  // rises when buffers are made anew

  SequenceLayout one_step_;  // B rows of one step, for the dropout of pooled features

  Buffer parameters_, gradients_;
  Buffer rounded_;                            // the recurrent weights of a 16-bit type; else empty
  std::unique_ptr<BatchStaging> staging_;     // on CUDA
  Buffer x_, dx_;                             // [N, E] or [U, E], of data_type
  Buffer y_, dy_;                             // [N, F], of data_type
  Buffer pooled_, d_pooled_, argmax_;         // [B, F]
  Buffer logits_, d_logits_, probabilities_;  // [B, C]
  Buffer reserve_, workspace_;
};

}  // namespace sluice
