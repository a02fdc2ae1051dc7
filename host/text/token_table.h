// Distinct strings, numbered in the order they were first seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A hash table from token to number, and back. Copyable; all bytes lie in one string.
class TokenTable {
 public:
  static constexpr std::int32_t absent = -1;

  std::int32_t size() const { return static_cast<std::int32_t>(entries_.size()); }

  /// The token's number; a new token gets the next one.
  std::int32_t add(std::string_view token);
  std::int32_t find(std::string_view token) const;

  /// Valid until the next add().
  std::string_view token(std::int32_t number) const {
    const Entry& entry = entries_[static_cast<std::size_t>(number)];
    return std::string_view(bytes_).substr(entry.begin, entry.length);
  }

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint64_t begin;
    std::uint32_t length;
  };
  std::size_t slot_of(std::string_view token, std::uint64_t hash) const;
  void grow();

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::int32_t> slots_;  // open addressing, a power of two; absent where free
};

}  // namespace sluice
