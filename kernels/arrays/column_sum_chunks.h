// How column_sum is cut up, on every device: fixed chunks of rows, then the chunks' sums in order.
#pragma once

#include <cstdint>

namespace sluice {

inline constexpr std::int64_t kColumnSumChunk = 128;  ///< rows summed by one owner

constexpr std::int64_t column_sum_chunk_count(std::int64_t rows) {
  return (rows + kColumnSumChunk - 1) / kColumnSumChunk;
}

}  // namespace sluice
