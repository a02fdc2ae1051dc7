// What stands on a network: from the features of its steps to a task's loss, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/data/batches.h"
#include "host/network/batch_placement.h"
#include "host/network/device_memory.h"
#include "host/network/dropout_source.h"
#include "host/network/model_config.h"
#include "host/network/precision.h"
#include "host/network/weights.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

/// What a head is made with.
struct HeadContext {
  const Queue& queue;
  const ModelConfig& config;
  const Precision& precision;
  DeviceMemory& memory;  ///< holds its buffers, and outlives it
};

/// What a head sees of a pass.
struct HeadPass {
  const Sequences& sequences;
  const void* y = nullptr;                 ///< [N, F] of the precision's type
  void* dy = nullptr;                      ///< the same; backward() overwrites it
  const Weights& weights;                  ///< with the tensors of Task::head_parameters()
  const DropoutSource* dropout = nullptr;  ///< null: an evaluation
  const Workspace& workspace;
};

/// Random stream of dropout before a head; the engine's count from 0.
inline constexpr std::uint32_t head_dropout_stream = 0x48454144;  // "HEAD"

/// Owns no weights. Buffers grow by reserve(), else nothing is allocated; what a pass enqueues
/// depends on its batch by what place() got from the placement alone (BatchPlacement). No pass
/// waits for the device, except where it says so.
class Head {
 public:
  virtual ~Head() = default;

  virtual void reserve(const PassShape& largest) = 0;
  /// Of batches up to that shape: workspace of a pass, and numbers that place() takes.
  virtual std::size_t workspace_bytes(const PassShape& largest) const = 0;
  virtual std::size_t placed_numbers(const PassShape& largest) const = 0;

  /// Takes a batch for the passes to come; between begin() and send() of `placement`.
  /// Errors: usage when it lacks targets in training.
  virtual void place(const Batch& batch, bool training, BatchPlacement& placement) = 0;

  /// The answers: outputs().
  virtual void forward(const HeadPass& pass) = 0;
  /// The mean loss and its gradient by the answers, times `loss_scale` (on the device; null means
  /// 1). Adds to `totals` [3] on the device (or null): sum of the losses, targets met, targets.
  /// A batch without targets adds nothing.
  virtual void loss(const HeadPass& pass, double* totals, const LossScale* loss_scale) = 0;
  /// From there to dy and the gradients of the head's weights; overwrites them.
  virtual void backward(const HeadPass& pass) = 0;

  /// What the loss is a mean over, of the batch placed last.
  virtual std::int64_t targets() const = 0;
  /// Of the last pass, as the task's predictions and metrics take them; waits for the device.
  virtual std::vector<float> download_outputs() const = 0;
};

}  // namespace sluice
