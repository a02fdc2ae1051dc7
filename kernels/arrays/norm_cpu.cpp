#include "kernels/arrays/norm.h"

#include "kernels/arrays/norm_tile.h"
#include "kernels/device/instruction_set.h"
#include "kernels/device/tiles.h"

namespace sluice::cpu {
namespace {

template <class T>
void sum(const Queue& queue, const SumOfSquaresArgs& args) {
  const auto* x = static_cast<const T*>(args.x);
  auto* partials = static_cast<double*>(args.workspace);
  parallel_tiles(queue, args.count, kNormTile, [&](std::int64_t begin, std::int64_t end) {
    partials[begin / kNormTile] = SLUICE_DISPATCH_ISA(sum_of_squares_tile, x + begin, end - begin);
  });
  double total = 0.0;
  for (std::int64_t i = 0; i < tile_count(args.count, kNormTile); ++i) total += partials[i];
  *args.out = args.accumulate ? *args.out + total : total;
}

}  // namespace

void sum_of_squares(const Queue& queue, const SumOfSquaresArgs& args) {
  args.type == DataType::float64 ? sum<double>(queue, args) : sum<float>(queue, args);
}

}  // namespace sluice::cpu
