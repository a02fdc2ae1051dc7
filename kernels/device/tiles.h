// Long loops cut into pieces of a fixed size, so that results do not depend on the thread count.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/device/parallel_for.h"

namespace sluice {

constexpr std::int64_t tile_count(std::int64_t count, std::int64_t tile) {
  return (count + tile - 1) / tile;
}

/// Runs body(begin, end) for [0, tile), [tile, 2 tile), ... up to `count` on the queue's threads.
template <class Body>
void parallel_tiles(const Queue& queue, std::int64_t count, std::int64_t tile, Body&& body) {
  parallel_for(queue, tile_count(count, tile),
               [&](std::int64_t i) { body(i * tile, std::min(count, (i + 1) * tile)); });
}

/// Rows of `columns` numbers that make a piece of work worth a thread's while.
constexpr std::int64_t rows_per_tile(std::int64_t columns) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, columns));
}

}  // namespace sluice
