// Gradient clipping, element by element.
#include "kernels/optimizers/clip.h"

#include "kernels/device/launch.h"
#include "kernels/optimizers/clip_factor.h"

namespace sluice::cuda {
namespace {

template <class T>
__global__ void value_kernel(std::int64_t count, T* x, T limit) {
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) x[i] = clipped(x[i], limit);
}

template <class T, bool is_global>
__global__ void norm_kernel(std::int64_t count, T* x, const double* squared_sum, double limit) {
  const double factor =
      is_global ? global_norm_factor(*squared_sum, limit) : norm_factor(*squared_sum, limit);
  if (factor == 1.0) return;
  const T scale = static_cast<T>(factor);
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) x[i] *= scale;
}

LaunchConfig element_grid(const Queue& queue, std::int64_t count) {
  return {.grid = grid_for(count, 256), .block = {256, 1, 1}, .stream = queue.stream};
}

template <class T>
void by_value(const Queue& queue, const ClipByValueArgs& args) {
  launch(value_kernel<T>, element_grid(queue, args.count), args.count, static_cast<T*>(args.x),
         static_cast<T>(args.limit));
}

template <class T, bool is_global, class Args>
void by_norm(const Queue& queue, const Args& args) {
  launch(norm_kernel<T, is_global>, element_grid(queue, args.count), args.count,
         static_cast<T*>(args.x), static_cast<const double*>(args.squared_sum), args.limit);
}

}  // namespace

void clip_by_value(const Queue& queue, const ClipByValueArgs& args) {
  args.type == DataType::float64 ? by_value<double>(queue, args) : by_value<float>(queue, args);
}

void clip_by_global_norm(const Queue& queue, const ClipByGlobalNormArgs& args) {
  args.type == DataType::float64 ? by_norm<double, true>(queue, args)
                                 : by_norm<float, true>(queue, args);
}

void clip_by_norm(const Queue& queue, const ClipByNormArgs& args) {
  args.type == DataType::float64 ? by_norm<double, false>(queue, args)
                                 : by_norm<float, false>(queue, args);
}

}  // namespace sluice::cuda
