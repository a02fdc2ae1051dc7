#include "kernels/arrays/norm.h"

#include "kernels/arrays/norm_tile.h"
#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"
#include "kernels/device/tiles.h"

namespace sluice {

void sum_of_squares(const Queue& queue, const SumOfSquaresArgs& args) {
  const std::size_t needed = sum_of_squares_workspace_bytes(args.count);
  check_wide("sum_of_squares", args.type);
  check_pointer("sum_of_squares", "out", args.out);
  if (args.count > 0) check_pointer("sum_of_squares", "x", args.x);
  check_workspace("sum_of_squares", args.workspace, args.workspace_bytes, needed);
  SLUICE_DISPATCH(sum_of_squares, queue, args);
}

std::size_t sum_of_squares_workspace_bytes(std::int64_t count) {
  check_least("sum_of_squares", "count", count);
  return tile_count(count, kNormTile) * sizeof(double);
}

}  // namespace sluice
