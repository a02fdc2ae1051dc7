// From rows of features to classes: a dense layer, cross-entropy, and their gradients. For heads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/dense.h"
#include "host/tasks/head.h"

namespace sluice {

/// One output is a sigmoid's, the probability of class 1 of two; more are a softmax's. In float32.
/// A row with the label no_label has no loss and no gradient, and is not counted.
class ClassScores {
 public:
  /// `inputs`: F, `outputs`: C.
  ClassScores(const HeadContext& context, std::int64_t inputs, std::int64_t outputs);

  void reserve(std::int64_t rows, bool training);
  std::size_t workspace_bytes(std::int64_t rows, bool training) const;

  /// features [rows, F] to probabilities.
  void forward(const Weights& weights, std::int64_t rows, const float* features);
  /// `labels` [rows] on the device, null if there are none; `targets` of them are not no_label. The
  /// rest as Head::loss().
  void loss(const std::int32_t* labels, std::int64_t targets, double* totals,
            const LossScale* loss_scale, const Workspace& workspace);
  /// d_features [rows, F], and the dense layer's gradients.
  void backward(const Weights& weights, const float* features, float* d_features,
                const Workspace& workspace);

  std::int64_t rows() const { return rows_; }  ///< of the last pass
  /// [rows, C] of the last pass; waits for the device.
  std::vector<float> download_probabilities() const;

 private:
  Queue queue_;
  Dense dense_;
  std::int64_t rows_ = 0;
  Buffer &logits_, &d_logits_, &probabilities_;  // [rows, C]
};

/// The class of the largest of a row's probabilities, the first of equals. With one number, the
/// probability of class 1: class 1 if it is above 1/2.
std::int32_t predicted_class(const float* probabilities, std::int64_t outputs);
/// The probability of that class.
float predicted_probability(const float* probabilities, std::int64_t outputs);

}  // namespace sluice
