// Optimiser updates, element by element; the learning rate and the step are read on the device.
#include "kernels/optimizers/optimizer.h"

#include "kernels/device/launch.h"
#include "kernels/optimizers/optimizer_update.h"

namespace sluice::cuda {
namespace {

/// The arrays of an update with their number type (see kernels/optimizers/optimizer.h).
template <class T>
struct Arrays {
  std::int64_t count;
  T* parameters;
  const T* gradients;
  T* state1;
  T* state2;
  const LossScale* loss_scale;
};

template <class T>
__global__ void sgd_kernel(Arrays<T> arrays, SgdCoefficients<T> c, const float* learning_rate) {
  if (skips(arrays.loss_scale)) return;
  c.learning_rate = static_cast<T>(*learning_rate);
  for (std::int64_t i = grid_index(); i < arrays.count; i += grid_stride()) {
    if (arrays.state1 == nullptr) {
      sgd_update(c, arrays.parameters[i], arrays.gradients[i]);
    } else {
      sgd_momentum_update(c, arrays.parameters[i], arrays.gradients[i], arrays.state1[i]);
    }
  }
}

template <class T>
__global__ void rmsprop_kernel(Arrays<T> arrays, RmspropCoefficients<T> c,
                               const float* learning_rate) {
  if (skips(arrays.loss_scale)) return;
  c.learning_rate = static_cast<T>(*learning_rate);
  for (std::int64_t i = grid_index(); i < arrays.count; i += grid_stride()) {
    if (arrays.state2 == nullptr) {
      rmsprop_update(c, arrays.parameters[i], arrays.gradients[i], arrays.state1[i]);
    } else {
      rmsprop_momentum_update(c, arrays.parameters[i], arrays.gradients[i], arrays.state1[i],
                              arrays.state2[i]);
    }
  }
}

/// Adam's settings; its coefficients depend on what only the device knows.
struct AdamSettings {
  const float* learning_rate;
  const std::uint32_t* step;
  double beta1, beta2, epsilon, weight_decay;
  bool decoupled;
};

template <class T>
__global__ void adam_kernel(Arrays<T> arrays, AdamSettings settings) {
  if (skips(arrays.loss_scale)) return;
  SLUICE_SHARED_ARRAY(AdamCoefficients<T>, shared, [1]);
  if (threadIdx.x == 0) {
    shared[0] = adam_coefficients<T>(static_cast<double>(*settings.learning_rate),
                                     adam_step(*settings.step, arrays.loss_scale), settings.beta1,
                                     settings.beta2, settings.epsilon, settings.weight_decay,
                                     settings.decoupled);
  }
  __syncthreads();
  const AdamCoefficients<T> c = shared[0];
  for (std::int64_t i = grid_index(); i < arrays.count; i += grid_stride()) {
    adam_update(c, arrays.parameters[i], arrays.gradients[i], arrays.state1[i], arrays.state2[i]);
  }
}

__global__ void advance_step_kernel(std::uint32_t* step) { ++*step; }

LaunchConfig element_grid(const Queue& queue, std::int64_t count) {
  return {.grid = grid_for(count, 256), .block = {256, 1, 1}, .stream = queue.stream};
}

template <class T, class Args>
Arrays<T> arrays_of(const Args& args, void* state1, void* state2) {
  return {args.count,
          static_cast<T*>(args.parameters),
          static_cast<const T*>(args.gradients),
          static_cast<T*>(state1),
          static_cast<T*>(state2),
          args.loss_scale};
}

template <class T>
void update(const Queue& queue, const SgdArgs& args) {
  const SgdCoefficients<T> c = {T(0), static_cast<T>(args.momentum),
                                static_cast<T>(args.weight_decay), args.nesterov};
  void* velocity = args.momentum > 0.0 ? args.velocity : nullptr;
  launch(sgd_kernel<T>, element_grid(queue, args.count), arrays_of<T>(args, velocity, nullptr), c,
         args.learning_rate);
}

template <class T>
void update(const Queue& queue, const RmspropArgs& args) {
  const RmspropCoefficients<T> c = {T(0),
                                    static_cast<T>(args.alpha),
                                    static_cast<T>(1.0 - args.alpha),
                                    static_cast<T>(args.epsilon),
                                    static_cast<T>(args.momentum),
                                    static_cast<T>(args.weight_decay)};
  void* velocity = args.momentum > 0.0 ? args.velocity : nullptr;
  launch(rmsprop_kernel<T>, element_grid(queue, args.count),
         arrays_of<T>(args, args.square_average, velocity), c, args.learning_rate);
}

template <class T>
void update(const Queue& queue, const AdamArgs& args, bool decoupled) {
  const AdamSettings settings = {args.learning_rate, args.step,         args.beta1, args.beta2,
                                 args.epsilon,       args.weight_decay, decoupled};
  launch(adam_kernel<T>, element_grid(queue, args.count),
         arrays_of<T>(args, args.average, args.square_average), settings);
}

}  // namespace

void sgd(const Queue& queue, const SgdArgs& args) {
  args.type == DataType::float64 ? update<double>(queue, args) : update<float>(queue, args);
}

void rmsprop(const Queue& queue, const RmspropArgs& args) {
  args.type == DataType::float64 ? update<double>(queue, args) : update<float>(queue, args);
}

void adam(const Queue& queue, const AdamArgs& args) {
  args.type == DataType::float64 ? update<double>(queue, args, false)
                                 : update<float>(queue, args, false);
}

void adamw(const Queue& queue, const AdamArgs& args) {
  args.type == DataType::float64 ? update<double>(queue, args, true)
                                 : update<float>(queue, args, true);
}

void advance_step(const Queue& queue, const AdvanceStepArgs& args) {
  launch(advance_step_kernel, {.grid = {1, 1, 1}, .block = {1, 1, 1}, .stream = queue.stream},
         args.step);
}

}  // namespace sluice::cuda
