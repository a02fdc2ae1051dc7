// The JSON header of a safetensors file, parsed and checked; no file access.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct SafetensorsHeader {
  struct Entry {
    std::string name;
    std::string data_type;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0, end = 0;  ///< bytes, from the start of the data
  };

  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;  ///< in the order of their bytes

  static constexpr std::uint64_t max_bytes = 100'000'000;

  /// `data_bytes`: what follows the header in the file. Calls `refuse` (which throws) when a rule
  /// of the format is broken.
  static SafetensorsHeader parse(std::string_view json, std::uint64_t data_bytes,
                                 const std::function<void(const std::string&)>& refuse);

  /// The JSON text, padded with spaces to a multiple of 8 bytes; parse() gives this header again.
  std::string text() const;

  /// By begin, end and name.
  void sort();
};

/// Bits of one number; 0 if the format has no such data type.
int safetensors_bits(std::string_view data_type);

/// Bytes of a tensor; false when they cannot be counted in 64 bits or are no whole number.
bool safetensors_bytes(const std::vector<std::int64_t>& shape, int bits, std::uint64_t& bytes);

}  // namespace sluice
