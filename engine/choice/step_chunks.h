// Runs of time steps that are taken together, so that what one launch writes the next still finds
// in the cache.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/recurrent.h"

namespace sluice {

/// Steps [begin, end) and their packed rows [first_row, first_row + rows).
struct StepChunk {
  std::int32_t begin = 0, end = 0;
  std::int64_t first_row = 0, rows = 0;
};

/// Most packed rows of a chunk. On the CPU a chunk's gates, inputs and outputs fill about
/// 1 MiB; on CUDA a chunk is the whole sequence, since there a launch costs more than a miss.
/// By shape alone, never by the number of threads. `steps` > 0 asks for so many steps instead.
struct ChunkRule {
  std::int64_t most_rows = 0;  ///< 0: no limit
  std::int32_t steps = 0;      ///< 0: as many as fit

  /// Rows of the largest chunk of a pass of this shape.
  std::int64_t largest(const PassShape& shape) const;
};
ChunkRule chunk_rule(const RecurrentConfig& config, DeviceKind device, std::int32_t steps);

/// All steps in chunks, from the first to the last; a chunk has one step at least.
std::vector<StepChunk> step_chunks(const Sequences& sequences, const ChunkRule& rule);

}  // namespace sluice
