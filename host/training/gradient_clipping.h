// Clipping of a model's gradients before the optimiser sees them.
#pragma once

#include <cstddef>

#include "host/buffer.h"
#include "host/network/parameters.h"
#include "kernels/base/queue.h"

namespace sluice {

/// Zero means off. If several are on, they act in this order.
struct ClippingConfig {
  double value = 0.0;        ///< each number to [-value, value]
  double tensor_norm = 0.0;  ///< each tensor's norm (Keras' clipnorm)
  double global_norm = 0.0;  ///< the norm of all together (PyTorch's clip_grad_norm_)

  /// Errors: usage, naming the option.
  void validate() const;
};

class GradientClipping {
 public:
  GradientClipping(const Queue& queue, const ClippingConfig& config, const ParameterLayout& layout);

  /// `gradients`: the flat buffer. Norms stay on the device.
  void apply(float* gradients) const;

  std::size_t bytes() const { return workspace_.bytes() + squared_sum_.bytes(); }

 private:
  Queue queue_;
  ClippingConfig config_;
  ParameterLayout layout_;
  Buffer squared_sum_, workspace_;
};

}  // namespace sluice
