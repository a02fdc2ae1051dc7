#include "kernels/arrays/bias.h"

#include "kernels/arrays/column_sum_chunks.h"
#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {

void add_bias(const Queue& queue, const AddBiasArgs& args) {
  check_least("add_bias", "rows", args.rows);
  check_least("add_bias", "columns", args.columns);
  check_least("add_bias", "ld", args.ld, args.columns);
  if (args.rows == 0 || args.columns == 0) return;
  check_pointer("add_bias", "x", args.x);
  check_pointer("add_bias", "bias", args.bias);
  SLUICE_DISPATCH(add_bias, queue, args);
}

void column_sum(const Queue& queue, const ColumnSumArgs& args) {
  const std::size_t needed = column_sum_workspace_bytes(args.type, args.rows, args.columns);
  check_least("column_sum", "ld", args.ld, args.columns);
  if (args.columns == 0) return;
  check_pointer("column_sum", "out", args.out);
  if (args.rows > 0) check_pointer("column_sum", "x", args.x);
  check_workspace("column_sum", args.workspace, args.workspace_bytes, needed);
  SLUICE_DISPATCH(column_sum, queue, args);
}

std::size_t column_sum_workspace_bytes(DataType type, std::int64_t rows, std::int64_t columns) {
  check_least("column_sum", "rows", rows);
  check_least("column_sum", "columns", columns);
  return column_sum_chunk_count(rows) * columns * size_of(state_type(type));
}

}  // namespace sluice
