// Numbers from one type to another: one thread a number, grid-stride.
#include "kernels/arrays/convert.h"

#include "kernels/base/number.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

template <class From, class To>
__global__ void convert_kernel(std::int64_t count, const From* from, To* to) {
  for (std::int64_t i = grid_index(); i < count; i += grid_stride())
    to[i] = narrow<To>(widen(from[i]));
}

template <class From, class To>
void run(const Queue& queue, const ConvertArgs& args) {
  launch(convert_kernel<From, To>,
         {.grid = grid_for(args.count, 256), .block = {256, 1, 1}, .stream = queue.stream},
         args.count, static_cast<const From*>(args.from), static_cast<To*>(args.to));
}

}  // namespace

void convert(const Queue& queue, const ConvertArgs& args) {
  const bool widens = is_16_bit(args.from_type);
  with_number(widens ? args.from_type : args.to_type, [&]<class T>(T) {
    widens ? run<T, Wide<T>>(queue, args) : run<Wide<T>, T>(queue, args);
  });
}

}  // namespace sluice::cuda
