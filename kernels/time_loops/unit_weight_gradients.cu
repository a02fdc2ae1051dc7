// Gradients of unit weights: one thread a unit of a chunk of rows, then one thread a sum over the
// chunks.
#include "kernels/device/launch.h"
#include "kernels/time_loops/unit_weight_element.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 128;

/// Chunk blockIdx.x, unit blockIdx.y * blockDim.x + threadIdx.x; partials [chunks, P*H].
template <class C, class T>
__global__ void __launch_bounds__(kThreads)
    unit_weight_chunk_kernel(const __grid_constant__ UnitWeightGradientsArgs args) {
  const std::int64_t unit = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (unit >= args.hidden_size) return;
  constexpr int weights = C::spec.unit_weights;
  const std::int64_t begin = std::int64_t{blockIdx.x} * kColumnSumChunk;
  const std::int64_t end =
      begin + kColumnSumChunk < args.rows ? begin + kColumnSumChunk : args.rows;
  Wide<T> sums[weights] = {};
  for (std::int64_t i = begin; i < end; ++i) {
    const UnitWeightRow<C, T> row(args, i);
    for_each_index<weights>([&](auto p) {
      const Wide<T> term = row.template term<p>(unit);
      sums[p] = i == begin ? term : sums[p] + term;
    });
  }
  auto* const partials =
      static_cast<Wide<T>*>(args.workspace) + blockIdx.x * weights * args.hidden_size;
  for_each_index<weights>([&](auto p) { partials[p * args.hidden_size + unit] = sums[p]; });
}

template <class W>
__global__ void __launch_bounds__(kThreads)
    unit_weight_total_kernel(std::int64_t chunks, std::int64_t columns, bool add, const W* partials,
                             W* out) {
  const std::int64_t column = grid_index();
  if (column >= columns) return;
  double sum = add ? static_cast<double>(out[column]) : 0.0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    sum += static_cast<double>(partials[chunk * columns + column]);
  }
  out[column] = static_cast<W>(sum);
}

template <class C, class T>
void sum_rows(const Queue& queue, const UnitWeightGradientsArgs& args) {
  const std::int64_t columns = C::spec.unit_weights * args.hidden_size;
  const std::int64_t chunks = column_sum_chunk_count(args.rows);
  const auto blocks = [](std::int64_t items) {
    return static_cast<unsigned>((items + kThreads - 1) / kThreads);
  };
  launch(unit_weight_chunk_kernel<C, T>,
         {.grid = {static_cast<unsigned>(chunks), blocks(args.hidden_size)},
          .block = kThreads,
          .stream = queue.stream},
         args);
  launch(unit_weight_total_kernel<Wide<T>>,
         {.grid = blocks(columns), .block = kThreads, .stream = queue.stream}, chunks, columns,
         args.add, static_cast<const Wide<T>*>(args.workspace), static_cast<Wide<T>*>(args.out));
}

}  // namespace

void unit_weight_gradients(const Queue& queue, const UnitWeightGradientsArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    with_cell(args.cell, [&]<class C>(C) {
      if constexpr (C::spec.unit_weights > 0) sum_rows<C, T>(queue, args);
    });
  });
}

}  // namespace sluice::cuda
