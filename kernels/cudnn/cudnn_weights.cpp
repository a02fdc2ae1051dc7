#include "kernels/cudnn/cudnn_weights.h"

namespace sluice {

std::vector<CudnnWeightPart> cudnn_weight_parts(const CudnnRnnConfig& config) {
  std::vector<CudnnWeightPart> parts;
  const std::int64_t hidden = config.hidden_size;
  const int gates = gate_count(config.cell);
  std::int64_t flat = 0;
  const auto add = [&](int pseudo_layer, int first_linear_layer, bool bias, std::int64_t count) {
    for (int gate = 0; gate < gates; ++gate, flat += count) {
      parts.push_back({pseudo_layer, first_linear_layer + gate, bias, flat, count});
    }
  };
  for (int pseudo_layer = 0; pseudo_layer < config.num_layers * config.directions();
       ++pseudo_layer) {
    const bool first_layer = pseudo_layer < config.directions();
    add(pseudo_layer, 0, false,
        hidden * (first_layer ? config.input_size : config.directions() * hidden));
    add(pseudo_layer, gates, false, hidden * hidden);
    add(pseudo_layer, 0, true, hidden);
    add(pseudo_layer, gates, true, hidden);
  }
  return parts;
}

std::vector<CudnnWeightRange> merged(const std::vector<CudnnWeightRange>& ranges) {
  std::vector<CudnnWeightRange> joined;
  for (const CudnnWeightRange& range : ranges) {
    if (!joined.empty() && joined.back().flat + joined.back().count == range.flat &&
        joined.back().space + joined.back().count == range.space) {
      joined.back().count += range.count;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

}  // namespace sluice
