// Random numbers one after the other, for shuffles, splits and made-up data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/base/philox.h"

namespace sluice {

/// Who draws from a seed: the four letters of each name.
namespace random_stream {
constexpr std::uint32_t shuffle = 0x73687566;  ///< batches of an epoch (item)
constexpr std::uint32_t split = 0x73706C74;    ///< validation rows of a class (item)
constexpr std::uint32_t reviews = 0x72657677;  ///< a built-in review (item)
constexpr std::uint32_t tagged = 0x74616767;   ///< a built-in sentence with labels (item)
}  // namespace random_stream

/// Philox4x32-10 with counter {low(i), high(i), item, 0} and the key of RandomStream: the same
/// numbers on every machine and with every standard library.
class RandomSequence {
 public:
  /// `stream` tells purposes apart, `item` the members of one (an epoch, a review).
  RandomSequence(std::uint64_t seed, std::uint32_t stream, std::uint32_t item = 0)
      : key0_(static_cast<std::uint32_t>(seed)),
        key1_(static_cast<std::uint32_t>(seed >> 32) ^ (stream * 0x9E3779B9u)),
        item_(item) {}

  std::uint32_t next() {
    if (used_ == 4) {
      block_ = Philox::draw({{static_cast<std::uint32_t>(counter_),
                              static_cast<std::uint32_t>(counter_ >> 32), item_, 0}},
                            key0_, key1_);
      ++counter_;
      used_ = 0;
    }
    return block_.word[used_++];
  }

  /// Uniform in [0, bound), bound >= 1, without bias: Lemire, "Fast random integer generation in
  /// an interval" (2019).
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0u - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold) {
        product = std::uint64_t{next()} * bound;
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// Uniform in [0, 1).
  float uniform() { return Philox::uniform(next()); }
  bool chance(float probability) { return uniform() < probability; }

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[below(static_cast<std::uint32_t>(i))]);
    }
  }

 private:
  std::uint32_t key0_, key1_, item_;
  std::uint64_t counter_ = 0;
  Philox::Block block_{};
  int used_ = 4;
};

}  // namespace sluice
