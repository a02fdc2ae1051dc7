#include "kernels/arrays/sort.h"

#include <limits>

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {

void sort_by_token(const Queue& queue, const SortByTokenArgs& args) {
  const std::size_t needed = sort_by_token_workspace_bytes(queue, args.count);
  if (args.count == 0) return;
  check_pointer("sort_by_token", "tokens", args.tokens);
  check_pointer("sort_by_token", "sorted_tokens", args.sorted_tokens);
  check_pointer("sort_by_token", "positions", args.positions);
  check_workspace("sort_by_token", args.workspace, args.workspace_bytes, needed);
  SLUICE_DISPATCH(sort_by_token, queue, args);
}

std::size_t sort_by_token_workspace_bytes(const Queue& queue, std::int64_t count) {
  check_least("sort_by_token", "count", count);
  require(count <= std::numeric_limits<std::int32_t>::max(),
          "sort_by_token: count: expected less than 2^31; use smaller batches");
  return SLUICE_DISPATCH(sort_by_token_workspace_bytes, queue, count);
}

}  // namespace sluice
