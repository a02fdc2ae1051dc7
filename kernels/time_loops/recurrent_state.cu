// Moves of the recurrent state: one thread a number, grid-stride.
#include "kernels/device/launch.h"
#include "kernels/time_loops/recurrent_state_element.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 256;

template <class T>
__global__ void mask_state_kernel(MaskStateArgs args) {
  const std::int64_t plane = args.batch * args.hidden_size;
  for (std::int64_t i = grid_index(); i < args.planes * plane; i += grid_stride()) {
    static_cast<T*>(args.out)[i] = masked_state<T>(args, i, plane);
  }
}

template <class T>
__global__ void unmask_gradient_kernel(UnmaskGradientArgs args) {
  const std::int64_t plane = args.batch * args.hidden_size;
  for (std::int64_t i = grid_index(); i < args.rows * args.hidden_size; i += grid_stride()) {
    static_cast<Wide<T>*>(args.dh)[i] += unmasked_sum<T>(args, i, plane);
  }
}

template <class T>
__global__ void previous_states_kernel(PreviousStatesArgs args) {
  const std::int64_t columns = args.hidden_size;
  for (std::int64_t i = grid_index(); i < args.rows * columns; i += grid_stride()) {
    static_cast<T*>(args.out)[i] = previous_state<T>(args, i / columns, i % columns);
  }
}

template <class Args>
void launch_over(const Queue& queue, std::int64_t items, void (*kernel)(Args), const Args& args) {
  launch(kernel, {.grid = grid_for(items, kThreads), .block = kThreads, .stream = queue.stream},
         args);
}

}  // namespace

void mask_state(const Queue& queue, const MaskStateArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    launch_over(queue, args.planes * args.batch * args.hidden_size, mask_state_kernel<T>, args);
  });
}

void unmask_gradient(const Queue& queue, const UnmaskGradientArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    launch_over(queue, args.rows * args.hidden_size, unmask_gradient_kernel<T>, args);
  });
}

void previous_states(const Queue& queue, const PreviousStatesArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    launch_over(queue, args.rows * args.hidden_size, previous_states_kernel<T>, args);
  });
}

}  // namespace sluice::cuda
