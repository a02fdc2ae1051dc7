#include <algorithm>

#include "kernels/device/tiles.h"
#include "kernels/time_loops/unit_weight_element.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kUnits = 256;  // whose sums stay in the first-level cache while rows pass by

// Rows of a chunk, added up for `count` units from `unit` on; `sums` [P, H].
template <class C, class T>
void sum_chunk(const UnitWeightGradientsArgs& args, std::int64_t chunk, std::int64_t unit,
               std::int64_t count, Wide<T>* sums) {
  const std::int64_t begin = chunk * kColumnSumChunk;
  const std::int64_t end = std::min(args.rows, begin + kColumnSumChunk);
  for (std::int64_t i = begin; i < end; ++i) {
    const UnitWeightRow<C, T> row(args, i);
    for_each_index<C::spec.unit_weights>([&](auto p) {
      Wide<T>* const sum = sums + p * args.hidden_size;
      for (std::int64_t u = unit; u < unit + count; ++u) {
        const Wide<T> term = row.template term<p>(u);
        sum[u] = i == begin ? term : sum[u] + term;
      }
    });
  }
}

template <class C, class T>
void sum_rows(const Queue& queue, const UnitWeightGradientsArgs& args) {
  const std::int64_t columns = C::spec.unit_weights * args.hidden_size;
  auto* const partials = static_cast<Wide<T>*>(args.workspace);
  auto* const out = static_cast<Wide<T>*>(args.out);
  const std::int64_t chunks = column_sum_chunk_count(args.rows);
  const std::int64_t tiles = tile_count(args.hidden_size, kUnits);
  parallel_for(queue, chunks * tiles, [&](std::int64_t task) {
    const std::int64_t chunk = task / tiles, unit = task % tiles * kUnits;
    sum_chunk<C, T>(args, chunk, unit, std::min(kUnits, args.hidden_size - unit),
                    partials + chunk * columns);
  });
  parallel_tiles(queue, columns, kUnits, [&](std::int64_t i, std::int64_t end) {
    for (; i < end; ++i) {
      double sum = args.add ? static_cast<double>(out[i]) : 0.0;
      for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
        sum += static_cast<double>(partials[chunk * columns + i]);
      }
      out[i] = static_cast<Wide<T>>(sum);
    }
  });
}

}  // namespace

void unit_weight_gradients(const Queue& queue, const UnitWeightGradientsArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    with_cell(args.cell, [&]<class C>(C) {
      if constexpr (C::spec.unit_weights > 0) sum_rows<C, T>(queue, args);
    });
  });
}

}  // namespace sluice::cpu
