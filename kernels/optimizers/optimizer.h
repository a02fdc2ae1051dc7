// Optimisers: one update of a flat buffer of parameters. Formulas and defaults are PyTorch's; the
// equations stand in kernels/optimizers/optimizer_update.h.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

// In every struct: `parameters` [count] is updated in place, `gradients` [count] is only read, the
// state arrays are [count] of the same type, zero before the first step, and do not overlap. The
// learning rate and the step count are read on the device when the launch runs, so that a captured
// graph sees their changes. Where `loss_scale` (on the device) says skip, nothing is changed.

/// g = gradient + weight_decay p; v = momentum v + g; p -= rate (nesterov ? g + momentum v : v).
struct SgdArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* parameters = nullptr;
  const void* gradients = nullptr;
  void* velocity = nullptr;               ///< state; null if momentum is 0
  const float* learning_rate = nullptr;   ///< [1], on the device
  const LossScale* loss_scale = nullptr;  ///< [1]; null: no step is skipped
  double momentum = 0.0;                  ///< in [0, 1)
  bool nesterov = false;                  ///< needs momentum
  double weight_decay = 0.0;              ///< >= 0
};

/// g = gradient + weight_decay p; s = alpha s + (1 - alpha) g^2; v = momentum v + g/(sqrt(s) +
/// eps); p -= rate v.
struct RmspropArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* parameters = nullptr;
  const void* gradients = nullptr;
  void* square_average = nullptr;         ///< state s
  void* velocity = nullptr;               ///< state v; null if momentum is 0
  const float* learning_rate = nullptr;   ///< [1], on the device
  const LossScale* loss_scale = nullptr;  ///< [1]; null: no step is skipped
  double alpha = 0.99;                    ///< in [0, 1)
  double epsilon = 1e-8;                  ///< >= 0
  double momentum = 0.0;                  ///< in [0, 1)
  double weight_decay = 0.0;              ///< >= 0
};

/// Kingma & Ba 2015. t = *step + 1, less the skipped steps; m = beta1 m + (1 - beta1) g; s = beta2
/// s + (1 - beta2) g^2; p -= rate/(1 - beta1^t) m / (sqrt(s)/sqrt(1 - beta2^t) + eps). adam adds
/// weight_decay p to g; adamw (Loshchilov & Hutter 2019) first takes rate weight_decay p from p.
/// PyTorch's default of weight_decay is 0.01 for AdamW: the caller says so.
struct AdamArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* parameters = nullptr;
  const void* gradients = nullptr;
  void* average = nullptr;                ///< state m
  void* square_average = nullptr;         ///< state s
  const float* learning_rate = nullptr;   ///< [1], on the device
  const LossScale* loss_scale = nullptr;  ///< [1]; null: no step is skipped
  const std::uint32_t* step = nullptr;    ///< [1], on the device: steps taken before this one
  double beta1 = 0.9;                     ///< in [0, 1)
  double beta2 = 0.999;                   ///< in [0, 1)
  double epsilon = 1e-8;                  ///< >= 0
  double weight_decay = 0.0;              ///< >= 0
};

/// ++*step, once after all updates of a step: Adam's t and the dropout counters read it.
struct AdvanceStepArgs {
  std::uint32_t* step = nullptr;  ///< [1], on the device
};

/// Errors: usage on a negative count, a null pointer or a coefficient out of range.
void sgd(const Queue& queue, const SgdArgs& args);
void rmsprop(const Queue& queue, const RmspropArgs& args);
void adam(const Queue& queue, const AdamArgs& args);
void adamw(const Queue& queue, const AdamArgs& args);
void advance_step(const Queue& queue, const AdvanceStepArgs& args);

namespace cpu {
void sgd(const Queue&, const SgdArgs&);
void rmsprop(const Queue&, const RmspropArgs&);
void adam(const Queue&, const AdamArgs&);
void adamw(const Queue&, const AdamArgs&);
void advance_step(const Queue&, const AdvanceStepArgs&);
}  // namespace cpu
namespace cuda {
void sgd(const Queue&, const SgdArgs&);
void rmsprop(const Queue&, const RmspropArgs&);
void adam(const Queue&, const AdamArgs&);
void adamw(const Queue&, const AdamArgs&);
void advance_step(const Queue&, const AdvanceStepArgs&);
}  // namespace cuda

}  // namespace sluice
