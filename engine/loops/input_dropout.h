// Dropout on what a layer takes in: forward, and on its gradient.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/recurrent.h"
#include "kernels/base/queue.h"

namespace sluice {

/// y = x by the mask of the layer's input, which is constant over time; 1/(1-p) or 0. The layers'
/// random streams are 4 * layer; those of the unit options lie between (unit_options.h).
struct InputDropoutArgs {
  const RecurrentConfig& config;
  bool drops = true;  ///< false: y = x
  Sequences sequences;
  int layer = 0;
  std::int32_t begin = 0;  ///< only the rows of steps [begin, end): by default all
  std::int32_t end = std::numeric_limits<std::int32_t>::max();
  std::uint64_t seed = 0;
  const std::uint32_t* step = nullptr;  ///< device, of training; null means 0
  const void* x = nullptr;              ///< [N, in], whatever the steps
  void* y = nullptr;                    ///< [N, in]; may be x
};
void drop_input(const Queue& queue, const InputDropoutArgs& args);

inline double input_dropout_rate(const RecurrentConfig& config, int layer, bool drops = true) {
  return !drops ? 0.0 : layer == 0 ? config.input_dropout : config.layer_dropout;
}
inline std::int64_t input_size_of(const RecurrentConfig& config, int layer) {
  return layer == 0 ? config.input_size : config.output_size();
}

}  // namespace sluice
