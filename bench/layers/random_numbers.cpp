#include "bench/layers/random_numbers.h"

namespace sluice::bench {

std::uint32_t random_word(Stream stream, std::uint64_t index) {
  std::uint64_t z =
      (index + (static_cast<std::uint64_t>(stream) << 40) + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  z ^= z >> 31;
  return static_cast<std::uint32_t>(z >> 40);
}

float random_number(Stream stream, std::uint64_t index) {
  return static_cast<float>(random_word(stream, index)) * 0x1p-23f - 1.0f;
}

std::vector<float> random_numbers(Stream stream, std::int64_t count, float scale) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = scale * random_number(stream, i);
  return numbers;
}

}  // namespace sluice::bench
