#include "engine/choice/step_chunks.h"

#include <algorithm>

namespace sluice {

std::int64_t ChunkRule::largest(const PassShape& shape) const {
  std::int64_t rows = shape.rows;
  if (steps > 0) rows = std::min(rows, std::int64_t{steps} * shape.batch);
  if (most_rows > 0) rows = std::min(rows, std::max<std::int64_t>(most_rows, shape.batch));
  return rows;
}

ChunkRule chunk_rule(const RecurrentConfig& config, DeviceKind device, std::int32_t steps) {
  if (steps > 0) return {0, steps};
  if (device == DeviceKind::cuda) return {0, 0};
  constexpr std::int64_t kChunkBytes = 1 << 20, kFewestRows = 512;
  const std::int64_t widest = std::max(config.input_size, config.output_size());
  const std::int64_t row_bytes = (slot_count(config.cell) * config.hidden_size + widest) *
                                 static_cast<std::int64_t>(size_of(config.data_type));
  return {std::max(kFewestRows, kChunkBytes / row_bytes), 0};
}

std::vector<StepChunk> step_chunks(const Sequences& sequences, const ChunkRule& rule) {
  const std::int32_t* offsets = sequences.host_offsets;
  std::vector<StepChunk> chunks;
  for (std::int32_t begin = 0; begin < sequences.steps;) {
    std::int32_t end = begin + 1;
    const auto fits = [&] {
      return (rule.steps == 0 || end - begin < rule.steps) &&
             (rule.most_rows == 0 || offsets[end + 1] - offsets[begin] <= rule.most_rows);
    };
    while (end < sequences.steps && fits()) ++end;
    chunks.push_back({begin, end, offsets[begin], offsets[end] - offsets[begin]});
    begin = end;
  }
  return chunks;
}

}  // namespace sluice
