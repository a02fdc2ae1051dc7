#include "kernels/rows.h"

#include <cstring>

#include "kernels/tiles.h"

namespace sluice::cpu {

void gather_rows(const Queue& queue, const GatherRowsArgs& args) {
  const std::size_t size = size_of(args.type), bytes = size * args.columns;
  const auto* source = static_cast<const char*>(args.source);
  auto* to = static_cast<char*>(args.to);
  parallel_tiles(queue, args.rows, rows_per_tile(args.columns),
                 [&](std::int64_t i, std::int64_t end) {
                   for (; i < end; ++i) {
                     char* row = to + i * args.ld_to * size;
                     if (args.index[i] < 0) {
                       std::memset(row, 0, bytes);
                     } else {
                       std::memcpy(row, source + args.index[i] * args.ld_source * size, bytes);
                     }
                   }
                 });
}

void scatter_rows(const Queue& queue, const ScatterRowsArgs& args) {
  const std::size_t size = size_of(args.type), bytes = size * args.columns;
  const auto* source = static_cast<const char*>(args.source);
  auto* to = static_cast<char*>(args.to);
  parallel_tiles(queue, args.rows, rows_per_tile(args.columns),
                 [&](std::int64_t i, std::int64_t end) {
                   for (; i < end; ++i) {
                     if (args.index[i] < 0) continue;
                     std::memcpy(to + args.index[i] * args.ld_to * size,
                                 source + i * args.ld_source * size, bytes);
                   }
                 });
}

}  // namespace sluice::cpu
