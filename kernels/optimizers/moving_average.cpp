#include "kernels/optimizers/moving_average.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {

void update_moving_average(const Queue& queue, const MovingAverageArgs& args) {
  constexpr const char* operation = "update_moving_average";
  check_least(operation, "count", args.count);
  check_range(operation, "decay", args.decay, 0.0, 1.0);
  if (args.count == 0) return;
  check_pointer(operation, "average", args.average);
  check_pointer(operation, "parameters", args.parameters);
  check_pointer(operation, "step", args.step);
  SLUICE_DISPATCH(update_moving_average, queue, args);
}

}  // namespace sluice
