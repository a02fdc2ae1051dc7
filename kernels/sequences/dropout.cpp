#include "kernels/sequences/dropout.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {

void dropout_rows(const Queue& queue, const DropoutRowsArgs& args) {
  constexpr const char* operation = "dropout_rows";
  check_range(operation, "rate", args.rate, 0.0, 1.0);
  check_least(operation, "columns", args.columns);
  check_least(operation, "sequences.rows", args.sequences.rows);
  if (args.sequences.rows == 0 || args.columns == 0 || args.begin >= args.end) return;
  if (args.begin > 0 || args.end < args.sequences.steps) {
    check_pointer(operation, "sequences.host_offsets", args.sequences.host_offsets);
  }
  check_pointer(operation, "sequences.offsets", args.sequences.offsets);
  check_pointer(operation, "sequences.lengths", args.sequences.lengths);
  check_pointer(operation, "sequences.step_of_row", args.sequences.step_of_row);
  check_pointer(operation, "x", args.x);
  check_pointer(operation, "y", args.y);
  SLUICE_DISPATCH(dropout_rows, queue, args);
}

void dropout_mask(const Queue& queue, const DropoutMaskArgs& args) {
  constexpr const char* operation = "dropout_mask";
  check_range(operation, "rate", args.rate, 0.0, 1.0);
  check_least(operation, "planes", args.planes);
  check_least(operation, "rows", args.rows);
  check_least(operation, "columns", args.columns);
  if (args.planes == 0 || args.rows == 0 || args.columns == 0) return;
  check_pointer(operation, "mask", args.mask);
  SLUICE_DISPATCH(dropout_mask, queue, args);
}

}  // namespace sluice
