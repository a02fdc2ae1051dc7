// Rows moved by index: one block a row.
#include "kernels/rows.h"

#include "kernels/row_grid.h"

namespace sluice::cuda {
namespace {

template <class T>
__global__ void gather_kernel(std::int64_t rows, std::int64_t columns, const T* source,
                              std::int64_t ld_source, const std::int32_t* index, T* to,
                              std::int64_t ld_to) {
  for_row_elements(rows, columns, [=](std::int64_t row, std::int64_t column) {
    const std::int64_t from = index[row];
    to[row * ld_to + column] = from < 0 ? T(0) : source[from * ld_source + column];
  });
}

template <class T>
__global__ void scatter_kernel(std::int64_t rows, std::int64_t columns, const T* source,
                               std::int64_t ld_source, const std::int32_t* index, T* to,
                               std::int64_t ld_to) {
  for_row_elements(rows, columns, [=](std::int64_t row, std::int64_t column) {
    const std::int64_t target = index[row];
    if (target >= 0) to[target * ld_to + column] = source[row * ld_source + column];
  });
}

template <class T, class Args>
void move_rows(const Queue& queue, const Args& args,
               void (*kernel)(std::int64_t, std::int64_t, const T*, std::int64_t,
                              const std::int32_t*, T*, std::int64_t)) {
  launch(kernel, row_grid(queue, args.rows, args.columns), args.rows, args.columns,
         static_cast<const T*>(args.source), args.ld_source, args.index, static_cast<T*>(args.to),
         args.ld_to);
}

}  // namespace

void gather_rows(const Queue& queue, const GatherRowsArgs& args) {
  args.type == DataType::float64 ? move_rows(queue, args, gather_kernel<double>)
                                 : move_rows(queue, args, gather_kernel<float>);
}

void scatter_rows(const Queue& queue, const ScatterRowsArgs& args) {
  args.type == DataType::float64 ? move_rows(queue, args, scatter_kernel<double>)
                                 : move_rows(queue, args, scatter_kernel<float>);
}

}  // namespace sluice::cuda
