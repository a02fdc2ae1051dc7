#include "kernels/arrays/rows.h"

#include <algorithm>

#include "kernels/arrays/row_types.h"
#include "kernels/device/tiles.h"

namespace sluice::cpu {
namespace {

template <class From, class To>
void put_row(const From* __restrict from, std::int64_t columns, To* __restrict to) {
  for (std::int64_t j = 0; j < columns; ++j) to[j] = narrow<To>(widen(from[j]));
}

template <class From, class To>
void gather(const Queue& queue, const GatherRowsArgs& args) {
  const auto* source = static_cast<const From*>(args.source);
  auto* to = static_cast<To*>(args.to);
  parallel_tiles(queue, args.rows, rows_per_tile(args.columns),
                 [&](std::int64_t i, std::int64_t end) {
                   for (; i < end; ++i) {
                     To* row = to + i * args.ld_to;
                     if (args.index[i] < 0) {
                       std::fill_n(row, args.columns, narrow<To>(Wide<To>(0)));
                     } else {
                       put_row(source + args.index[i] * args.ld_source, args.columns, row);
                     }
                   }
                 });
}

template <class From, class To>
void scatter(const Queue& queue, const ScatterRowsArgs& args) {
  const auto* source = static_cast<const From*>(args.source);
  auto* to = static_cast<To*>(args.to);
  parallel_tiles(
      queue, args.rows, rows_per_tile(args.columns), [&](std::int64_t i, std::int64_t end) {
        for (; i < end; ++i) {
          if (args.index[i] < 0) continue;
          put_row(source + i * args.ld_source, args.columns, to + args.index[i] * args.ld_to);
        }
      });
}

}  // namespace

void gather_rows(const Queue& queue, const GatherRowsArgs& args) {
  with_row_types(args, [&]<class From, class To>(From, To) { gather<From, To>(queue, args); });
}

void scatter_rows(const Queue& queue, const ScatterRowsArgs& args) {
  with_row_types(args, [&]<class From, class To>(From, To) { scatter<From, To>(queue, args); });
}

}  // namespace sluice::cpu
