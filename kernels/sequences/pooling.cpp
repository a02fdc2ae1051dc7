#include "kernels/sequences/pooling.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

template <class Args>
bool has_work(const char* operation, const Args& args) {
  check_least(operation, "sequences.batch", args.sequences.batch);
  check_least(operation, "sequences.rows", args.sequences.rows);
  check_least(operation, "features", args.features);
  require(args.directions == 1 || (args.directions == 2 && args.features % 2 == 0),
          std::string(operation) +
              ": directions: expected 1, or 2 with an even number of features, got " +
              std::to_string(args.directions) + " with " + std::to_string(args.features));
  if (args.sequences.batch == 0 || args.features == 0) return false;
  check_pointer(operation, "sequences.offsets", args.sequences.offsets);
  check_pointer(operation, "sequences.lengths", args.sequences.lengths);
  if (args.pooling == Pooling::max) check_pointer(operation, "argmax", args.argmax);
  return true;
}

}  // namespace

void pool_forward(const Queue& queue, const PoolForwardArgs& args) {
  if (!has_work("pool_forward", args)) return;
  check_pointer("pool_forward", "y", args.y);
  check_pointer("pool_forward", "out", args.out);
  SLUICE_DISPATCH(pool_forward, queue, args);
}

void pool_backward(const Queue& queue, const PoolBackwardArgs& args) {
  if (!has_work("pool_backward", args)) return;
  check_pointer("pool_backward", "sequences.step_of_row", args.sequences.step_of_row);
  check_pointer("pool_backward", "d_out", args.d_out);
  check_pointer("pool_backward", "dy", args.dy);
  SLUICE_DISPATCH(pool_backward, queue, args);
}

}  // namespace sluice
