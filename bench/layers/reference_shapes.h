// The layers whose limits the project's performance reference tabulates: FlashRNN's, DeepBench's
// and IMDB's. bench/predictions.md says what is expected of each, the suite `figures` measures
// them.
#pragma once

#include <cstdint>

#include "kernels/cells/list.h"

namespace sluice::bench {

struct ReferenceShape {
  Cell cell;
  std::int32_t steps, batch;   ///< T, B
  std::int64_t input, hidden;  ///< I, H
};

inline constexpr ReferenceShape reference_shapes[] = {
    {Cell::lstm, 512, 64, 512, 512},   {Cell::lstm, 1024, 16, 768, 768},
    {Cell::lstm, 25, 64, 512, 512},    {Cell::lstm, 25, 64, 1024, 1024},
    {Cell::lstm, 25, 64, 2048, 2048},  {Cell::lstm, 25, 128, 4096, 4096},
    {Cell::gru, 1500, 32, 2816, 2816}, {Cell::gru, 1500, 32, 1024, 1024},
    {Cell::lstm, 400, 256, 128, 64},
};

}  // namespace sluice::bench
