#include "kernels/arrays/rows.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

template <class Args>
bool has_work(const char* operation, const Args& args) {
  check_least(operation, "rows", args.rows);
  check_least(operation, "columns", args.columns);
  check_least(operation, "ld_source", args.ld_source, args.columns);
  check_least(operation, "ld_to", args.ld_to, args.columns);
  if (args.rows == 0 || args.columns == 0) return false;
  check_pointer(operation, "source", args.source);
  check_pointer(operation, "index", args.index);
  check_pointer(operation, "to", args.to);
  return true;
}

}  // namespace

void gather_rows(const Queue& queue, const GatherRowsArgs& args) {
  if (has_work("gather_rows", args)) SLUICE_DISPATCH(gather_rows, queue, args);
}

void scatter_rows(const Queue& queue, const ScatterRowsArgs& args) {
  if (has_work("scatter_rows", args)) SLUICE_DISPATCH(scatter_rows, queue, args);
}

}  // namespace sluice
