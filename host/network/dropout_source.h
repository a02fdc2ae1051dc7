// Where a training pass takes its dropout masks from.
#pragma once

#include <cstdint>

namespace sluice {

struct DropoutSource {
  std::uint64_t seed = 0;
  const std::uint32_t* step = nullptr;  ///< on the device: steps taken so far; null means 0
};

}  // namespace sluice
