// The squared norm: a block a tile, then one block over the tiles.
#include "kernels/arrays/norm.h"

#include "kernels/arrays/norm_tile.h"
#include "kernels/device/block_sum.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 256;

template <class T>
__global__ void tile_kernel(std::int64_t count, const T* x, double* partials) {
  SLUICE_SHARED_ARRAY(double, sums, [kThreads]);
  const std::int64_t begin = std::int64_t{blockIdx.x} * kNormTile;
  const std::int64_t end = begin + kNormTile < count ? begin + kNormTile : count;
  double sum = 0.0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  sum = block_sum(sum, sums);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

__global__ void total_kernel(std::int64_t tiles, const double* partials, bool accumulate,
                             double* out) {
  SLUICE_SHARED_ARRAY(double, sums, [kThreads]);
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < tiles; i += blockDim.x) sum += partials[i];
  sum = block_sum(sum, sums);
  if (threadIdx.x == 0) *out = accumulate ? *out + sum : sum;
}

template <class T>
void run(const Queue& queue, const SumOfSquaresArgs& args) {
  auto* partials = static_cast<double*>(args.workspace);
  const std::int64_t tiles = (args.count + kNormTile - 1) / kNormTile;
  launch(tile_kernel<T>,
         {.grid = {static_cast<unsigned>(tiles), 1, 1},
          .block = {kThreads, 1, 1},
          .stream = queue.stream},
         args.count, static_cast<const T*>(args.x), partials);
  launch(total_kernel, {.grid = {1, 1, 1}, .block = {kThreads, 1, 1}, .stream = queue.stream},
         tiles, static_cast<const double*>(partials), args.accumulate, args.out);
}

}  // namespace

void sum_of_squares(const Queue& queue, const SumOfSquaresArgs& args) {
  args.type == DataType::float64 ? run<double>(queue, args) : run<float>(queue, args);
}

}  // namespace sluice::cuda
