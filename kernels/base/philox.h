// Philox4x32-10: counter-based random numbers, the same on CPU and GPU.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.h"

namespace sluice {

/// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 2.
struct Philox {
  struct Block {
    std::uint32_t word[4];
  };

  SLUICE_HOST_DEVICE static Block draw(Block counter, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter.word[0];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter.word[2];
      counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0,
                  static_cast<std::uint32_t>(product1),
                  static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1,
                  static_cast<std::uint32_t>(product0)}};
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    return counter;
  }

  /// 24 bits to [0, 1).
  SLUICE_HOST_DEVICE static float uniform(std::uint32_t word) {
    return static_cast<float>(word >> 8) * (1.0f / 16777216.0f);
  }
};

/// A stream of masks or noise: who draws (`stream`: which layer, which purpose) and in which step.
/// The number for (time, row, unit) is word unit%4 of the block with counter
/// {unit/4, row, time, step} and key {low(seed), high(seed) ^ stream * 0x9E3779B9}.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;
  const std::uint32_t* step = nullptr;  ///< on the device; null means step 0

  SLUICE_HOST_DEVICE Philox::Block block(std::uint32_t time, std::uint32_t row,
                                         std::uint32_t quad) const {
    return Philox::draw({{quad, row, time, step == nullptr ? 0u : *step}},
                        static_cast<std::uint32_t>(seed),
                        static_cast<std::uint32_t>(seed >> 32) ^ (stream * 0x9E3779B9u));
  }
  /// The word for (time, row, unit). Chosen without an index, which would put the block in memory.
  SLUICE_HOST_DEVICE std::uint32_t word(std::uint32_t time, std::uint32_t row,
                                        std::uint32_t unit) const {
    const Philox::Block four = block(time, row, unit / 4);
    return unit % 2 == 0 ? (unit % 4 == 0 ? four.word[0] : four.word[2])
                         : (unit % 4 == 1 ? four.word[1] : four.word[3]);
  }
};

}  // namespace sluice
