// The optimiser of a flat parameter buffer, with its state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/buffer.h"
#include "kernels/base/queue.h"
#include "kernels/losses/loss_scale.h"

namespace sluice {

enum class OptimizerKind { sgd, rmsprop, adam, adamw };

const char* name_of(OptimizerKind kind);
/// Errors: usage, naming the choices.
OptimizerKind optimizer_from_name(const std::string& name);

/// Formulas in kernels/optimizers/optimizer.h. What a kind does not use is not read.
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adam;
  double momentum = 0.0;       ///< sgd, rmsprop
  bool nesterov = false;       ///< sgd
  double weight_decay = 0.0;   ///< adamw: decoupled; else added to the gradient
  double alpha = 0.99;         ///< rmsprop
  double beta1 = 0.9;          ///< adam, adamw
  double beta2 = 0.999;        ///< adam, adamw
  double epsilon = 1e-8;       ///< rmsprop, adam, adamw
  double average_decay = 0.0;  ///< of a moving average of the parameters; 0: none

  /// Errors: usage, naming the option.
  void validate() const;
};

/// Owns the state arrays, the step count and the learning rate on the device.
class Optimizer {
 public:
  Optimizer(const Queue& queue, const OptimizerConfig& config, std::int64_t count);

  /// Of the updates from here on; copied to the device where it is another one.
  void set_learning_rate(double learning_rate);

  /// parameters [count] -= the step by gradients [count]; counts the step. Where `loss_scale` (on
  /// the device; may be null) says skip, weights and states stay as they are. Launches alone, the
  /// same ones each time.
  void update(float* parameters, const float* gradients, const LossScale* loss_scale = nullptr);
  void update(float* parameters, const float* gradients, double learning_rate) {
    set_learning_rate(learning_rate);
    update(parameters, gradients);
  }

  /// On the device: steps taken. The dropout masks read it too.
  const std::uint32_t* step() const { return step_.as<std::uint32_t>(); }
  void set_step(std::uint32_t step);

  /// The parameters' moving average after the last update (kernels/optimizers/moving_average.h),
  /// one of the states below; null without average_decay.
  Buffer* parameter_average();

  /// A state array: its name (velocity, average, square_average, parameter_average) and `count`
  /// numbers.
  struct State {
    std::string name;
    Buffer values;
  };
  const std::vector<State>& states() const { return states_; }

  std::size_t bytes() const;

 private:
  void* state(const char* name) const;

  Queue queue_;
  OptimizerConfig config_;
  std::int64_t count_;
  std::vector<State> states_;
  Buffer step_, learning_rate_;
  float uploaded_rate_ = -1.0f;
};

}  // namespace sluice
