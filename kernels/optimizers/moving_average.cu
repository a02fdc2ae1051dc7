// The moving average of parameters, element by element; the step is read on the device.
#include "kernels/optimizers/moving_average.h"

#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

template <class T>
__global__ void update_kernel(std::int64_t count, T* average, const T* parameters,
                              const std::uint32_t* step, double decay) {
  const T share = static_cast<T>(1.0 - averaging_decay(decay, *step));
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) {
    average[i] += share * (parameters[i] - average[i]);
  }
}

template <class T>
void update(const Queue& queue, const MovingAverageArgs& args) {
  launch(update_kernel<T>,
         {.grid = grid_for(args.count, 256), .block = {256, 1, 1}, .stream = queue.stream},
         args.count, static_cast<T*>(args.average), static_cast<const T*>(args.parameters),
         args.step, args.decay);
}

}  // namespace

void update_moving_average(const Queue& queue, const MovingAverageArgs& args) {
  args.type == DataType::float64 ? update<double>(queue, args) : update<float>(queue, args);
}

}  // namespace sluice::cuda
