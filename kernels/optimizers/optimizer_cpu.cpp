#include "kernels/optimizers/optimizer.h"

#include "kernels/device/instruction_set.h"
#include "kernels/device/tiles.h"
#include "kernels/optimizers/optimizer_tile.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kTile = 16384;

template <class T>
OptimizerTile<T> tile_of(void* parameters, const void* gradients, void* state1, void* state2,
                         std::int64_t begin, std::int64_t end) {
  const auto from = [&](void* array) {
    return array == nullptr ? nullptr : static_cast<T*>(array) + begin;
  };
  return {end - begin, from(parameters), static_cast<const T*>(gradients) + begin, from(state1),
          from(state2)};
}

template <class T>
void update_sgd(const Queue& queue, const SgdArgs& args) {
  if (skips(args.loss_scale)) return;
  const SgdCoefficients<T> c = {static_cast<T>(*args.learning_rate), static_cast<T>(args.momentum),
                                static_cast<T>(args.weight_decay), args.nesterov};
  void* velocity = args.momentum > 0.0 ? args.velocity : nullptr;
  parallel_tiles(queue, args.count, kTile, [&](std::int64_t begin, std::int64_t end) {
    const auto tile = tile_of<T>(args.parameters, args.gradients, velocity, nullptr, begin, end);
    SLUICE_DISPATCH_ISA(sgd_tile, tile, c);
  });
}

template <class T>
void update_rmsprop(const Queue& queue, const RmspropArgs& args) {
  if (skips(args.loss_scale)) return;
  const RmspropCoefficients<T> c = {
      static_cast<T>(*args.learning_rate), static_cast<T>(args.alpha),
      static_cast<T>(1.0 - args.alpha),    static_cast<T>(args.epsilon),
      static_cast<T>(args.momentum),       static_cast<T>(args.weight_decay)};
  void* velocity = args.momentum > 0.0 ? args.velocity : nullptr;
  parallel_tiles(queue, args.count, kTile, [&](std::int64_t begin, std::int64_t end) {
    const auto tile =
        tile_of<T>(args.parameters, args.gradients, args.square_average, velocity, begin, end);
    SLUICE_DISPATCH_ISA(rmsprop_tile, tile, c);
  });
}

template <class T>
void update_adam(const Queue& queue, const AdamArgs& args, bool decoupled) {
  if (skips(args.loss_scale)) return;
  const auto c = adam_coefficients<T>(static_cast<double>(*args.learning_rate),
                                      adam_step(*args.step, args.loss_scale), args.beta1,
                                      args.beta2, args.epsilon, args.weight_decay, decoupled);
  parallel_tiles(queue, args.count, kTile, [&](std::int64_t begin, std::int64_t end) {
    const auto tile =
        tile_of<T>(args.parameters, args.gradients, args.average, args.square_average, begin, end);
    SLUICE_DISPATCH_ISA(adam_tile, tile, c);
  });
}

}  // namespace

void sgd(const Queue& queue, const SgdArgs& args) {
  args.type == DataType::float64 ? update_sgd<double>(queue, args) : update_sgd<float>(queue, args);
}

void rmsprop(const Queue& queue, const RmspropArgs& args) {
  args.type == DataType::float64 ? update_rmsprop<double>(queue, args)
                                 : update_rmsprop<float>(queue, args);
}

void adam(const Queue& queue, const AdamArgs& args) {
  args.type == DataType::float64 ? update_adam<double>(queue, args, false)
                                 : update_adam<float>(queue, args, false);
}

void adamw(const Queue& queue, const AdamArgs& args) {
  args.type == DataType::float64 ? update_adam<double>(queue, args, true)
                                 : update_adam<float>(queue, args, true);
}

void advance_step(const Queue&, const AdvanceStepArgs& args) { ++*args.step; }

}  // namespace sluice::cpu
