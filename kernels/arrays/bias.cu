// Biases: one block a row to add; one thread a column to sum, over chunks of rows and then over the
// chunks.
#include "kernels/arrays/bias.h"

#include "kernels/arrays/column_sum_chunks.h"
#include "kernels/base/number.h"
#include "kernels/device/row_grid.h"

namespace sluice::cuda {
namespace {

template <class T>
__global__ void add_bias_kernel(std::int64_t rows, std::int64_t columns, T* x, std::int64_t ld,
                                const Wide<T>* bias) {
  for_row_elements(rows, columns, [=](std::int64_t row, std::int64_t column) {
    T& sum = x[row * ld + column];
    sum = narrow<T>(widen(sum) + bias[column]);
  });
}

// Chunk blockIdx.x, column blockIdx.y * blockDim.x + threadIdx.x; partials [chunks, columns].
template <class T>
__global__ void sum_chunk_kernel(std::int64_t rows, std::int64_t columns, const T* x,
                                 std::int64_t ld, Wide<T>* partials) {
  const std::int64_t column = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  const std::int64_t begin = std::int64_t{blockIdx.x} * kColumnSumChunk;
  const std::int64_t end = begin + kColumnSumChunk < rows ? begin + kColumnSumChunk : rows;
  Wide<T> sum = widen(x[begin * ld + column]);
  for (std::int64_t row = begin + 1; row < end; ++row) sum += widen(x[row * ld + column]);
  partials[std::int64_t{blockIdx.x} * columns + column] = sum;
}

template <class T>
__global__ void sum_partials_kernel(std::int64_t chunks, std::int64_t columns, const T* partials,
                                    T* out) {
  const std::int64_t column = grid_index();
  if (column >= columns) return;
  double sum = 0.0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    sum += static_cast<double>(partials[chunk * columns + column]);
  }
  out[column] = static_cast<T>(sum);
}

template <class T>
void add(const Queue& queue, const AddBiasArgs& args) {
  launch(add_bias_kernel<T>, row_grid(queue, args.rows, args.columns), args.rows, args.columns,
         static_cast<T*>(args.x), args.ld, static_cast<const Wide<T>*>(args.bias));
}

template <class T>
void sum(const Queue& queue, const ColumnSumArgs& args) {
  auto* partials = static_cast<Wide<T>*>(args.workspace);
  const unsigned threads = threads_for(args.columns, 128);
  const std::int64_t chunks = column_sum_chunk_count(args.rows);
  const auto tiles = static_cast<unsigned>((args.columns + threads - 1) / threads);
  launch(sum_chunk_kernel<T>,
         {.grid = {static_cast<unsigned>(chunks), tiles, 1},
          .block = {threads, 1, 1},
          .stream = queue.stream},
         args.rows, args.columns, static_cast<const T*>(args.x), args.ld, partials);
  launch(sum_partials_kernel<Wide<T>>,
         {.grid = {tiles, 1, 1}, .block = {threads, 1, 1}, .stream = queue.stream}, chunks,
         args.columns, static_cast<const Wide<T>*>(partials), static_cast<Wide<T>*>(args.out));
}

}  // namespace

void add_bias(const Queue& queue, const AddBiasArgs& args) {
  with_number(args.type, [&]<class T>(T) { add<T>(queue, args); });
}

void column_sum(const Queue& queue, const ColumnSumArgs& args) {
  with_number(args.type, [&]<class T>(T) { sum<T>(queue, args); });
}

}  // namespace sluice::cuda
