#include "host/training/optimizer.h"

#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/optimizers/moving_average.h"
#include "kernels/optimizers/optimizer.h"

namespace sluice {

const char* name_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd: return "sgd";
    case OptimizerKind::rmsprop: return "rmsprop";
    case OptimizerKind::adam: return "adam";
    case OptimizerKind::adamw: return "adamw";
  }
  return "?";
}

OptimizerKind optimizer_from_name(const std::string& name) {
  for (const OptimizerKind kind :
       {OptimizerKind::sgd, OptimizerKind::rmsprop, OptimizerKind::adam, OptimizerKind::adamw}) {
    if (name == name_of(kind)) return kind;
  }
  throw Error::usage("optimizer must be sgd, rmsprop, adam or adamw, got '" + name + "'");
}

void OptimizerConfig::validate() const {
  const auto fraction = [](double value, const char* option) {
    require(value >= 0.0 && value < 1.0,
            std::string(option) + " must be in [0, 1), got " + std::to_string(value));
  };
  fraction(momentum, "momentum");
  fraction(alpha, "rmsprop-alpha");
  fraction(beta1, "beta1");
  fraction(beta2, "beta2");
  fraction(average_decay, "average-decay");
  require(weight_decay >= 0.0,
          "weight-decay must be 0 or more, got " + std::to_string(weight_decay));
  require(epsilon >= 0.0, "epsilon must be 0 or more, got " + std::to_string(epsilon));
  require(!nesterov || (kind == OptimizerKind::sgd && momentum > 0.0),
          "nesterov needs optimizer sgd and a momentum");
  require(
      momentum == 0.0 || kind == OptimizerKind::sgd || kind == OptimizerKind::rmsprop,
      std::string("momentum belongs to sgd and rmsprop, not to ") + name_of(kind) + "; set beta1");
}

Optimizer::Optimizer(const Queue& queue, const OptimizerConfig& config, std::int64_t count)
    : queue_(queue),
      config_(config),
      count_(count),
      step_(queue, sizeof(std::uint32_t)),
      learning_rate_(queue, sizeof(float)) {
  config.validate();
  const bool adam_like = config.kind == OptimizerKind::adam || config.kind == OptimizerKind::adamw;
  const auto add_state = [&](const char* name) {
    states_.push_back({name, Buffer(queue_, static_cast<std::size_t>(count) * sizeof(float))});
    fill_zero(queue_, states_.back().values.data(), states_.back().values.bytes());
  };
  if (adam_like) add_state("average");
  if (config.kind != OptimizerKind::sgd) add_state("square_average");
  if (!adam_like && config.momentum > 0.0) add_state("velocity");
  if (config.average_decay > 0.0) add_state("parameter_average");
  set_step(0);
}

void* Optimizer::state(const char* name) const {
  for (const State& candidate : states_) {
    if (candidate.name == name) return candidate.values.data();
  }
  return nullptr;
}

Buffer* Optimizer::parameter_average() {
  return config_.average_decay > 0.0 ? &states_.back().values : nullptr;
}

void Optimizer::set_step(std::uint32_t step) {
  upload(queue_, step_.data(), &step, sizeof step);
  synchronize(queue_);
}

void Optimizer::set_learning_rate(double learning_rate) {
  const float rate = static_cast<float>(learning_rate);
  if (rate == uploaded_rate_) return;
  upload(queue_, learning_rate_.data(), &rate, sizeof rate);
  uploaded_rate_ = rate;
}

void Optimizer::update(float* parameters, const float* gradients, const LossScale* loss_scale) {
  const auto fill = [&](auto& args) {
    args.count = count_;
    args.parameters = parameters;
    args.gradients = gradients;
    args.learning_rate = learning_rate_.as<float>();
    args.loss_scale = loss_scale;
    args.weight_decay = config_.weight_decay;
  };
  switch (config_.kind) {
    case OptimizerKind::sgd: {
      SgdArgs args;
      fill(args);
      args.velocity = state("velocity");
      args.momentum = config_.momentum;
      args.nesterov = config_.nesterov;
      sgd(queue_, args);
      break;
    }
    case OptimizerKind::rmsprop: {
      RmspropArgs args;
      fill(args);
      args.square_average = state("square_average");
      args.velocity = state("velocity");
      args.alpha = config_.alpha;
      args.epsilon = config_.epsilon;
      args.momentum = config_.momentum;
      rmsprop(queue_, args);
      break;
    }
    case OptimizerKind::adam:
    case OptimizerKind::adamw: {
      AdamArgs args;
      fill(args);
      args.average = state("average");
      args.square_average = state("square_average");
      args.step = step();
      args.beta1 = config_.beta1;
      args.beta2 = config_.beta2;
      args.epsilon = config_.epsilon;
      config_.kind == OptimizerKind::adam ? adam(queue_, args) : adamw(queue_, args);
      break;
    }
  }
  if (config_.average_decay > 0.0) {
    MovingAverageArgs args;
    args.count = count_;
    args.average = state("parameter_average");
    args.parameters = parameters;
    args.step = step();
    args.decay = config_.average_decay;
    update_moving_average(queue_, args);
  }
  advance_step(queue_, {step_.as<std::uint32_t>()});
}

std::size_t Optimizer::bytes() const {
  std::size_t total = step_.bytes() + learning_rate_.bytes();
  for (const State& array : states_) total += array.values.bytes();
  return total;
}

}  // namespace sluice
