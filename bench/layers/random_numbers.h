// Inputs that every implementation, in whatever language, can make for itself.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::bench {

enum class Stream : std::uint64_t {
  inputs = 1,
  parameters = 2,
  signs = 3,
  lengths = 4,
  tokens = 5
};

/// Word `index` of a stream, 24 bits: the upper ones of SplitMix64 (Steele, Lea and Flood 2014) at
/// index + 2^40 * stream. bench/peer_numbers.py has it too.
std::uint32_t random_word(Stream stream, std::uint64_t index);

/// The word as a number, uniform in [-1, 1), a multiple of 2^-23.
float random_number(Stream stream, std::uint64_t index);

/// `count` numbers from index 0, times `scale` in single precision.
std::vector<float> random_numbers(Stream stream, std::int64_t count, float scale);

}  // namespace sluice::bench
