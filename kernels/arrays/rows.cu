// Rows moved by index: one block a row.
#include "kernels/arrays/rows.h"

#include "kernels/arrays/row_types.h"
#include "kernels/device/row_grid.h"

namespace sluice::cuda {
namespace {

template <class From, class To>
__global__ void gather_kernel(std::int64_t rows, std::int64_t columns, const From* source,
                              std::int64_t ld_source, const std::int32_t* index, To* to,
                              std::int64_t ld_to) {
  for_row_elements(rows, columns, [=](std::int64_t row, std::int64_t column) {
    const std::int64_t from = index[row];
    to[row * ld_to + column] =
        narrow<To>(from < 0 ? Wide<To>(0) : widen(source[from * ld_source + column]));
  });
}

template <class From, class To>
__global__ void scatter_kernel(std::int64_t rows, std::int64_t columns, const From* source,
                               std::int64_t ld_source, const std::int32_t* index, To* to,
                               std::int64_t ld_to) {
  for_row_elements(rows, columns, [=](std::int64_t row, std::int64_t column) {
    const std::int64_t target = index[row];
    if (target >= 0) {
      to[target * ld_to + column] = narrow<To>(widen(source[row * ld_source + column]));
    }
  });
}

template <class From, class To, class Args>
void move_rows(const Queue& queue, const Args& args,
               void (*kernel)(std::int64_t, std::int64_t, const From*, std::int64_t,
                              const std::int32_t*, To*, std::int64_t)) {
  launch(kernel, row_grid(queue, args.rows, args.columns), args.rows, args.columns,
         static_cast<const From*>(args.source), args.ld_source, args.index,
         static_cast<To*>(args.to), args.ld_to);
}

}  // namespace

void gather_rows(const Queue& queue, const GatherRowsArgs& args) {
  with_row_types(args, [&]<class From, class To>(From, To) {
    move_rows(queue, args, gather_kernel<From, To>);
  });
}

void scatter_rows(const Queue& queue, const ScatterRowsArgs& args) {
  with_row_types(args, [&]<class From, class To>(From, To) {
    move_rows(queue, args, scatter_kernel<From, To>);
  });
}

}  // namespace sluice::cuda
