// How the embedding's gradient is cut into work with one owner for each number, on every device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/number.h"

namespace sluice {

/// Sorted positions are cut into chunks of this many. A run of equal tokens inside a chunk is
/// written to the table by the chunk. A run that crosses chunks leaves a partial sum in each: as
/// the chunk's tail where it begins, as the head of every later one. The chunk where it begins then
/// adds them up. Long runs are so spread over many owners, and rounding stays small.
inline constexpr std::int64_t kEmbeddingChunk = 64;

/// Where the parts of the backward pass' workspace begin, in bytes.
struct EmbeddingWorkspace {
  std::size_t positions = 0;  ///< int32 [N]; sorted tokens, int32 [N], come first, at 0
  std::size_t partials = 0;   ///< [chunks, 2, E] head and tail
  std::size_t sort = 0;       ///< the sort's own
  std::size_t end = 0;        ///< all of it

  constexpr EmbeddingWorkspace(DataType type, std::int64_t rows, std::int64_t embedding_size,
                               std::size_t sort_bytes) {
    const std::int64_t chunks = (rows + kEmbeddingChunk - 1) / kEmbeddingChunk;
    positions = aligned(rows * sizeof(std::int32_t));
    partials = positions + aligned(rows * sizeof(std::int32_t));
    sort = partials + aligned(chunks * 2 * embedding_size * size_of(state_type(type)));
    end = sort + aligned(sort_bytes);
  }

 private:
  static constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 255) / 256 * 256; }
};

/// The arrays that both passes of the segmented sum work on.
template <class T>
struct EmbeddingSegments {
  std::int64_t rows = 0;            ///< N
  std::int64_t embedding_size = 0;  ///< E
  std::int64_t vocabulary = 0;      ///< V
  std::int64_t padding_index = -1;
  const std::int32_t* tokens = nullptr;     ///< [N] sorted
  const std::int32_t* positions = nullptr;  ///< [N]
  const T* d_out = nullptr;                 ///< [N, ld_d_out]
  std::int64_t ld_d_out = 0;                ///< at least E
  Wide<T>* d_table = nullptr;               ///< [V, E]
  Wide<T>* partials = nullptr;              ///< [chunks, 2, E]

  /// The row of d_out that sorted place i stands for.
  SLUICE_HOST_DEVICE const T* row(std::int64_t i) const { return d_out + positions[i] * ld_d_out; }
  SLUICE_HOST_DEVICE Wide<T>* head(std::int64_t chunk) const {
    return partials + chunk * 2 * embedding_size;
  }
  SLUICE_HOST_DEVICE Wide<T>* tail(std::int64_t chunk) const {
    return head(chunk) + embedding_size;
  }
  SLUICE_HOST_DEVICE bool has_row(std::int32_t token) const {
    return token >= 0 && token < vocabulary && token != padding_index;
  }
  SLUICE_HOST_DEVICE std::int64_t end_of(std::int64_t chunk) const {
    const std::int64_t end = (chunk + 1) * kEmbeddingChunk;
    return end < rows ? end : rows;
  }

  /// Where the sum of the run [begin, end) of one token inside a chunk goes.
  SLUICE_HOST_DEVICE Wide<T>* target(std::int64_t chunk, std::int64_t begin,
                                     std::int64_t end) const {
    const std::int32_t token = tokens[begin];
    const bool begins_before = begin > 0 && tokens[begin - 1] == token;
    const bool goes_on = end < rows && tokens[end] == token;
    return begins_before ? head(chunk) : goes_on ? tail(chunk) : d_table + token * embedding_size;
  }

  /// Whether a run begins in this chunk and crosses its end, so that its tail is to be added up.
  SLUICE_HOST_DEVICE bool owns_crossing_run(std::int64_t chunk) const {
    const std::int64_t begin = chunk * kEmbeddingChunk, end = end_of(chunk);
    if (end >= rows || tokens[end] != tokens[end - 1] || !has_row(tokens[end])) return false;
    return begin == 0 || tokens[begin - 1] != tokens[end];
  }
};

}  // namespace sluice
