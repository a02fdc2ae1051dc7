#include "kernels/optimizers/optimizer.h"

#include <limits>

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

constexpr double kAnyFinite = std::numeric_limits<double>::infinity();

template <class Args>
bool has_work(const char* operation, const Args& args) {
  check_wide(operation, args.type);
  check_least(operation, "count", args.count);
  check_range(operation, "weight_decay", args.weight_decay, 0.0, kAnyFinite);
  if (args.count == 0) return false;
  check_pointer(operation, "parameters", args.parameters);
  check_pointer(operation, "gradients", args.gradients);
  check_pointer(operation, "learning_rate", args.learning_rate);
  return true;
}

bool adam_has_work(const char* operation, const AdamArgs& args) {
  check_range(operation, "beta1", args.beta1, 0.0, 1.0);
  check_range(operation, "beta2", args.beta2, 0.0, 1.0);
  check_range(operation, "epsilon", args.epsilon, 0.0, kAnyFinite);
  if (!has_work(operation, args)) return false;
  check_pointer(operation, "average", args.average);
  check_pointer(operation, "square_average", args.square_average);
  check_pointer(operation, "step", args.step);
  return true;
}

}  // namespace

void sgd(const Queue& queue, const SgdArgs& args) {
  check_range("sgd", "momentum", args.momentum, 0.0, 1.0);
  require(!args.nesterov || args.momentum > 0.0,
          "sgd: nesterov: expected a positive momentum, got 0");
  if (!has_work("sgd", args)) return;
  if (args.momentum > 0.0) check_pointer("sgd", "velocity", args.velocity);
  SLUICE_DISPATCH(sgd, queue, args);
}

void rmsprop(const Queue& queue, const RmspropArgs& args) {
  check_range("rmsprop", "alpha", args.alpha, 0.0, 1.0);
  check_range("rmsprop", "momentum", args.momentum, 0.0, 1.0);
  check_range("rmsprop", "epsilon", args.epsilon, 0.0, kAnyFinite);
  if (!has_work("rmsprop", args)) return;
  check_pointer("rmsprop", "square_average", args.square_average);
  if (args.momentum > 0.0) check_pointer("rmsprop", "velocity", args.velocity);
  SLUICE_DISPATCH(rmsprop, queue, args);
}

void adam(const Queue& queue, const AdamArgs& args) {
  if (adam_has_work("adam", args)) SLUICE_DISPATCH(adam, queue, args);
}

void adamw(const Queue& queue, const AdamArgs& args) {
  if (adam_has_work("adamw", args)) SLUICE_DISPATCH(adamw, queue, args);
}

void advance_step(const Queue& queue, const AdvanceStepArgs& args) {
  check_pointer("advance_step", "step", args.step);
  SLUICE_DISPATCH(advance_step, queue, args);
}

}  // namespace sluice
