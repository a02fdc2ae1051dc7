// The cross-entropy of one row from logits: stable terms, the same on every device.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/base/activation.h"
#include "kernels/base/host_device.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

inline constexpr std::int32_t kIgnoredLabel = -1;

/// What a row adds to the totals, kept until one owner adds the rows up in order.
struct RowLoss {
  double loss = 0.0;
  std::int32_t correct = 0;
  std::int32_t counted = 0;  ///< 0: the row's label is kIgnoredLabel
};

/// What gradients are multiplied by: `gradient_scale` of the arguments, 0 means 1/rows.
inline double gradient_scale_of(double gradient_scale, std::int64_t rows) {
  return gradient_scale == 0.0 ? 1.0 / static_cast<double>(rows) : gradient_scale;
}

/// The whole factor on d_logits.
template <class T>
SLUICE_HOST_DEVICE T scaled_by(T gradient_scale, const LossScale* loss_scale) {
  return loss_scale == nullptr ? gradient_scale
                               : gradient_scale * static_cast<T>(loss_scale->scale);
}

SLUICE_HOST_DEVICE float logarithm(float x) { return ::logf(x); }
SLUICE_HOST_DEVICE double logarithm(double x) { return ::log(x); }
SLUICE_HOST_DEVICE float logarithm_of_1_plus(float x) { return ::log1pf(x); }
SLUICE_HOST_DEVICE double logarithm_of_1_plus(double x) { return ::log1p(x); }

template <class T>
SLUICE_HOST_DEVICE T not_a_number() {
  return static_cast<T>(NAN);
}

/// -label log(p) - (1 - label) log(1 - p) with p = sigmoid(x); NaN for a label that is not 0 or 1.
template <class T>
SLUICE_HOST_DEVICE T sigmoid_loss(T x, std::int32_t label) {
  if (label != 0 && label != 1) return not_a_number<T>();
  return rectify(x) - x * static_cast<T>(label) +
         logarithm_of_1_plus(exponential(x < T(0) ? x : -x));
}

/// The derivative of the loss by x.
template <class T>
SLUICE_HOST_DEVICE T sigmoid_loss_slope(T x, std::int32_t label) {
  if (label == kIgnoredLabel) return T(0);
  if (label != 0 && label != 1) return not_a_number<T>();
  return sigmoid(x) - static_cast<T>(label);
}

template <class T>
SLUICE_HOST_DEVICE RowLoss sigmoid_row_loss(T x, std::int32_t label) {
  RowLoss row;
  if (label == kIgnoredLabel) return row;
  row.loss = static_cast<double>(sigmoid_loss(x, label));
  row.correct = (x > T(0) ? 1 : 0) == label ? 1 : 0;
  row.counted = 1;
  return row;
}

/// `largest`: the row's largest logit; `sum`: of exp(logit - largest); `best`: the largest's class.
template <class T>
SLUICE_HOST_DEVICE RowLoss softmax_row_loss(const T* logits, std::int64_t classes, T largest, T sum,
                                            std::int64_t best, std::int32_t label) {
  RowLoss row;
  if (label == kIgnoredLabel) return row;
  const bool known = label >= 0 && label < classes;
  row.loss =
      static_cast<double>(known ? logarithm(sum) + (largest - logits[label]) : not_a_number<T>());
  row.correct = best == label ? 1 : 0;
  row.counted = 1;
  return row;
}

/// The derivative by the logit of class `c`, whose probability is `p`.
template <class T>
SLUICE_HOST_DEVICE T softmax_loss_slope(T p, std::int64_t c, std::int64_t classes,
                                        std::int32_t label) {
  if (label == kIgnoredLabel) return T(0);
  if (label < 0 || label >= classes) return not_a_number<T>();
  return c == label ? p - T(1) : p;
}

}  // namespace sluice
