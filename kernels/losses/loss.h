// Cross-entropy from logits, and its gradient.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

/// Two classes, one logit a row: loss = max(x, 0) - x label + log(1 + exp(-|x|)).
/// In both operations label -1 means: no loss, no gradient, not counted. Any other label outside
/// the classes is a fault of the caller; it makes the loss and the row's gradient NaN.
struct SigmoidCrossEntropyArgs {
  DataType type = DataType::float32;      ///< float32 or float64
  std::int64_t rows = 0;                  ///< B
  const void* logits = nullptr;           ///< [B]
  const std::int32_t* labels = nullptr;   ///< [B] 0, 1 or -1
  double gradient_scale = 0.0;            ///< factor on d_logits; 0 means 1/B
  const LossScale* loss_scale = nullptr;  ///< on the device: its scale is another; null means 1
  void* d_logits = nullptr;               ///< [B]; null if not wanted; does not overlap logits
  void* probabilities = nullptr;          ///< [B] of label 1; null if not wanted
  double* totals = nullptr;               ///< [3] added to: sum of the losses, rows classified
                                          ///< rightly, rows counted; null if not wanted
  void* workspace = nullptr;              ///< 16-byte aligned; needed with totals
  std::size_t workspace_bytes = 0;        ///< at least cross_entropy_workspace_bytes()
};

/// C classes: loss = log(sum over c of exp(x[c])) - x[label].
struct SoftmaxCrossEntropyArgs {
  DataType type = DataType::float32;
  std::int64_t rows = 0;                  ///< B
  std::int64_t classes = 0;               ///< C
  const void* logits = nullptr;           ///< [B, C]
  const std::int32_t* labels = nullptr;   ///< [B] in [0, C) or -1
  double gradient_scale = 0.0;            ///< as above
  const LossScale* loss_scale = nullptr;  ///< as above
  void* d_logits = nullptr;               ///< [B, C]; as above
  void* probabilities = nullptr;          ///< [B, C]; null if not wanted
  double* totals = nullptr;               ///< [3] as above
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

/// A row counts as classified rightly if its label has the largest logit (the first of equals), for
/// one logit if (logit > 0) == label.
/// `labels` may be null in a call that wants probabilities alone.
/// Errors: usage on a negative size, a null pointer or too small a workspace.
void sigmoid_cross_entropy(const Queue& queue, const SigmoidCrossEntropyArgs& args);
void softmax_cross_entropy(const Queue& queue, const SoftmaxCrossEntropyArgs& args);

std::size_t cross_entropy_workspace_bytes(std::int64_t rows);

namespace cpu {
void sigmoid_cross_entropy(const Queue&, const SigmoidCrossEntropyArgs&);
void softmax_cross_entropy(const Queue&, const SoftmaxCrossEntropyArgs&);
}  // namespace cpu
namespace cuda {
void sigmoid_cross_entropy(const Queue&, const SigmoidCrossEntropyArgs&);
void softmax_cross_entropy(const Queue&, const SoftmaxCrossEntropyArgs&);
}  // namespace cuda

}  // namespace sluice
