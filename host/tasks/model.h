// A network with a task's head on a device: weights, gradients, and the passes over a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/network/network.h"
#include "host/tasks/head.h"
#include "host/tasks/task.h"

namespace sluice {

/// Owns everything a pass needs. Buffers grow when a larger batch comes, else nothing is allocated;
/// reserve() does it ahead. No pass waits for the device, except where it says so.
class Model {
 public:
  /// The weights are uninitialised until set_parameters(). `queue`'s Device must outlive the model.
  /// Errors: usage if `config` or `precision` is invalid; runtime when memory runs out.
  Model(const Queue& queue, const Task& task, const ModelConfig& config,
        const Precision& precision = {});

  const Task& task() const { return *task_; }
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

  /// See Network::distinct_search().
  DistinctSearch distinct_search(bool training) const { return network_.distinct_search(training); }

  /// Brings a batch to the device for train_pass(), and may allocate. `batch` must live, unchanged,
  /// until that pass is enqueued. Errors: usage if it has no targets.
  void load(const Batch& batch);

  /// Of the loaded batch: forward with dropout, mean loss, backward into gradients(). Adds to
  /// `totals` [3] on the device: sum of the losses, targets met, targets. The gradients are those
  /// of the loss times `loss_scale` (on the device; null means 1). Allocates nothing.
  void train_pass(const DropoutSource& dropout, double* totals,
                  const LossScale* loss_scale = nullptr);
  void train_pass(const Batch& batch, const DropoutSource& dropout, double* totals,
                  const LossScale* loss_scale = nullptr) {
    load(batch);
    train_pass(dropout, totals, loss_scale);
  }

  /// What the launches of train_pass() depend on: with the same numbers (and arguments) it enqueues
  /// the same ones. For the loaded batch: what the placement gave out, and where the memory is.
  std::vector<std::int64_t> pass_signature() const;

  /// Forward without dropout. `totals` as above, or null; a batch without targets adds nothing.
  void forward_pass(const Batch& batch, double* totals);

  /// Of the last pass, by sorted row; these wait for the device.
  std::vector<float> download_outputs() const { return head_->download_outputs(); }
  std::vector<float> download_input_gradient()
      const;  ///< [N, E] or [N, F] of the last train_pass(), after
              ///< keep_input_gradients(). Errors: usage
              ///< with one-hot input
  /// What the loss of the last pass is a mean over.
  std::int64_t targets() const { return head_->targets(); }

  /// See Network::keep_input_gradients().
  void keep_input_gradients() { network_.keep_input_gradients(); }

  /// Device memory held, in bytes.
  std::size_t bytes() const { return memory_->bytes() + placement_.bytes(); }

 private:
  void place(const Batch& batch, bool training);
  Weights weights() const { return {&layout_, parameters(), gradients()}; }
  Workspace workspace() const { return {workspace_.data(), workspace_.bytes()}; }

  Queue queue_;
  const Task* task_;
  ModelConfig config_;
  Precision precision_;
  ParameterLayout layout_;
  PassShape reserved_;

  std::unique_ptr<DeviceMemory> memory_ = std::make_unique<DeviceMemory>();  // of all below
  Buffer &parameters_, &gradients_, &workspace_;
  BatchPlacement placement_;
  Network network_;
  std::unique_ptr<Head> head_;
};

}  // namespace sluice
