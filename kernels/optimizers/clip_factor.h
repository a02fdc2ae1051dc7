// The equations of clipping, the same on every device.
#pragma once

#include <cmath>

#include "kernels/base/host_device.h"

namespace sluice {

template <class T>
SLUICE_HOST_DEVICE T clipped(T x, T limit) {
  return x > limit ? limit : x < -limit ? -limit : x;
}

/// min(1, limit / (norm + 1e-6)): torch.nn.utils.clip_grad_norm_. NaN stays NaN.
SLUICE_HOST_DEVICE double global_norm_factor(double squared_sum, double limit) {
  const double factor = limit / (::sqrt(squared_sum) + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

/// limit / max(norm, limit): tf.clip_by_norm. NaN stays NaN.
SLUICE_HOST_DEVICE double norm_factor(double squared_sum, double limit) {
  const double norm = ::sqrt(squared_sum);
  return norm <= limit ? 1.0 : limit / norm;
}

}  // namespace sluice
