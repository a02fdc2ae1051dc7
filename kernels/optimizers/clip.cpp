#include "kernels/optimizers/clip.h"

#include "kernels/arrays/norm.h"
#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

template <class Args>
bool has_work(const char* operation, const Args& args) {
  check_wide(operation, args.type);
  check_least(operation, "count", args.count);
  check_positive(operation, "limit", args.limit);
  if (args.count == 0) return false;
  check_pointer(operation, "x", args.x);
  return true;
}

}  // namespace

void clip_by_value(const Queue& queue, const ClipByValueArgs& args) {
  if (has_work("clip_by_value", args)) SLUICE_DISPATCH(clip_by_value, queue, args);
}

void clip_by_global_norm(const Queue& queue, const ClipByGlobalNormArgs& args) {
  if (!has_work("clip_by_global_norm", args)) return;
  check_pointer("clip_by_global_norm", "squared_sum", args.squared_sum);
  SLUICE_DISPATCH(clip_by_global_norm, queue, args);
}

void clip_by_norm(const Queue& queue, const ClipByNormArgs& args) {
  if (!has_work("clip_by_norm", args)) return;
  check_pointer("clip_by_norm", "squared_sum", args.squared_sum);
  sum_of_squares(queue, {.type = args.type,
                         .count = args.count,
                         .x = args.x,
                         .out = args.squared_sum,
                         .workspace = args.workspace,
                         .workspace_bytes = args.workspace_bytes});
  SLUICE_DISPATCH(clip_by_norm, queue, args);
}

}  // namespace sluice
