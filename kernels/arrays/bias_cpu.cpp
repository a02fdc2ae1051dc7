#include "kernels/arrays/bias.h"

#include <algorithm>

#include "kernels/arrays/column_sum_chunks.h"
#include "kernels/base/number.h"
#include "kernels/device/tiles.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kColumns = 512;  // what stays in the first-level cache while rows stream by

template <class T, class Sum>
void add(std::int64_t count, const T* __restrict x, Sum* __restrict sum) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] = narrow<Sum>(widen(sum[i]) + widen(x[i]));
}

template <class T>
void add_bias_rows(const Queue& queue, const AddBiasArgs& args) {
  auto* x = static_cast<T*>(args.x);
  const auto* bias = static_cast<const Wide<T>*>(args.bias);
  parallel_tiles(queue, args.rows, rows_per_tile(args.columns),
                 [&](std::int64_t i, std::int64_t end) {
                   for (; i < end; ++i) add(args.columns, bias, x + i * args.ld);
                 });
}

template <class T>
void sum_columns(const Queue& queue, const ColumnSumArgs& args) {
  const auto* x = static_cast<const T*>(args.x);
  auto* out = static_cast<Wide<T>*>(args.out);
  auto* partials = static_cast<Wide<T>*>(args.workspace);  // [chunks, columns]
  const std::int64_t chunks = column_sum_chunk_count(args.rows);
  const std::int64_t tiles = tile_count(args.columns, kColumns);
  parallel_for(queue, chunks * tiles, [&](std::int64_t task) {
    const std::int64_t chunk = task / tiles, column = task % tiles * kColumns;
    const std::int64_t count = std::min(kColumns, args.columns - column);
    const std::int64_t begin = chunk * kColumnSumChunk;
    const std::int64_t end = std::min(args.rows, begin + kColumnSumChunk);
    Wide<T>* sum = partials + chunk * args.columns + column;
    for (std::int64_t i = 0; i < count; ++i) sum[i] = widen(x[begin * args.ld + column + i]);
    for (std::int64_t row = begin + 1; row < end; ++row)
      add(count, x + row * args.ld + column, sum);
  });
  parallel_for(queue, tiles, [&](std::int64_t tile) {
    const std::int64_t column = tile * kColumns;
    const std::int64_t count = std::min(kColumns, args.columns - column);
    double sum[kColumns] = {};
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const Wide<T>* partial = partials + chunk * args.columns + column;
      for (std::int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(partial[i]);
    }
    for (std::int64_t i = 0; i < count; ++i) out[column + i] = static_cast<Wide<T>>(sum[i]);
  });
}

}  // namespace

void add_bias(const Queue& queue, const AddBiasArgs& args) {
  with_number(args.type, [&]<class T>(T) { add_bias_rows<T>(queue, args); });
}

void column_sum(const Queue& queue, const ColumnSumArgs& args) {
  with_number(args.type, [&]<class T>(T) { sum_columns<T>(queue, args); });
}

}  // namespace sluice::cpu
