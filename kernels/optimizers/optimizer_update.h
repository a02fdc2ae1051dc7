// The optimisers' equations for one number: float or double in a CUDA thread, a pack on the CPU.
// PyTorch's (torch.optim), in its order of operations.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

SLUICE_HOST_DEVICE float square_root(float x) { return ::sqrtf(x); }
SLUICE_HOST_DEVICE double square_root(double x) { return ::sqrt(x); }

/// Whether the step's gradients are unfit (kernels/losses/loss_scale.h).
SLUICE_HOST_DEVICE bool skips(const LossScale* loss_scale) {
  return loss_scale != nullptr && loss_scale->skip != 0;
}

/// Adam's t of this step, from 1, when `steps` were taken before, the skipped ones included.
SLUICE_HOST_DEVICE std::uint32_t adam_step(std::uint32_t steps, const LossScale* loss_scale) {
  return steps + 1 - (loss_scale == nullptr ? 0 : loss_scale->skipped_steps);
}

template <class T>
struct SgdCoefficients {
  T learning_rate, momentum, weight_decay;
  bool nesterov;
};

/// Without momentum: `v` is not read.
template <class T>
SLUICE_HOST_DEVICE void sgd_update(const SgdCoefficients<T>& c, T& p, T g) {
  p = p - c.learning_rate * (g + c.weight_decay * p);
}

template <class T>
SLUICE_HOST_DEVICE void sgd_momentum_update(const SgdCoefficients<T>& c, T& p, T g, T& v) {
  g = g + c.weight_decay * p;
  v = c.momentum * v + g;
  p = p - c.learning_rate * (c.nesterov ? g + c.momentum * v : v);
}

template <class T>
struct RmspropCoefficients {
  T learning_rate, alpha, one_minus_alpha, epsilon, momentum, weight_decay;
};

template <class T>
SLUICE_HOST_DEVICE void rmsprop_update(const RmspropCoefficients<T>& c, T& p, T g, T& s) {
  g = g + c.weight_decay * p;
  s = c.alpha * s + c.one_minus_alpha * (g * g);
  p = p - c.learning_rate * (g / (square_root(s) + c.epsilon));
}

template <class T>
SLUICE_HOST_DEVICE void rmsprop_momentum_update(const RmspropCoefficients<T>& c, T& p, T g, T& s,
                                                T& v) {
  g = g + c.weight_decay * p;
  s = c.alpha * s + c.one_minus_alpha * (g * g);
  v = c.momentum * v + g / (square_root(s) + c.epsilon);
  p = p - c.learning_rate * v;
}

template <class T>
struct AdamCoefficients {
  T one_minus_beta1, beta2, one_minus_beta2, epsilon;
  T step_size;          ///< rate / (1 - beta1^t)
  T square_correction;  ///< sqrt(1 - beta2^t)
  T gradient_decay;     ///< adam: weight_decay; adamw: 0
  T keep;               ///< adam: 1; adamw: 1 - rate weight_decay
};

/// `t` counts from 1.
template <class T>
SLUICE_HOST_DEVICE AdamCoefficients<T> adam_coefficients(double learning_rate, std::uint32_t t,
                                                         double beta1, double beta2, double epsilon,
                                                         double weight_decay, bool decoupled) {
  AdamCoefficients<T> c;
  c.one_minus_beta1 = static_cast<T>(1.0 - beta1);
  c.beta2 = static_cast<T>(beta2);
  c.one_minus_beta2 = static_cast<T>(1.0 - beta2);
  c.epsilon = static_cast<T>(epsilon);
  c.step_size = static_cast<T>(learning_rate / (1.0 - ::pow(beta1, static_cast<double>(t))));
  c.square_correction = static_cast<T>(::sqrt(1.0 - ::pow(beta2, static_cast<double>(t))));
  c.gradient_decay = static_cast<T>(decoupled ? 0.0 : weight_decay);
  c.keep = static_cast<T>(decoupled ? 1.0 - learning_rate * weight_decay : 1.0);
  return c;
}

template <class T>
SLUICE_HOST_DEVICE void adam_update(const AdamCoefficients<T>& c, T& p, T g, T& m, T& s) {
  p = c.keep * p;
  g = g + c.gradient_decay * p;
  m = m + c.one_minus_beta1 * (g - m);
  s = c.beta2 * s + c.one_minus_beta2 * (g * g);
  p = p - c.step_size * (m / (square_root(s) / c.square_correction + c.epsilon));
}

}  // namespace sluice
