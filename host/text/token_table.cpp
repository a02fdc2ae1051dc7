#include "host/text/token_table.h"

#include <limits>

#include "kernels/base/error.h"

namespace sluice {
namespace {

/// FNV-1a, 64 bits, with a last mix so that the low bits serve as a slot number.
std::uint64_t hash_of(std::string_view token) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char byte : token) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  }
  return hash ^ (hash >> 29);
}

}  // namespace

std::size_t TokenTable::slot_of(std::string_view token, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != absent) {
    const Entry& entry = entries_[static_cast<std::size_t>(slots_[slot])];
    if (entry.hash == hash && std::string_view(bytes_).substr(entry.begin, entry.length) == token) {
      break;
    }
    slot = (slot + 1) & mask;
  }
  return slot;
}

void TokenTable::grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, absent);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & mask;
    while (slots_[slot] != absent) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::int32_t>(i);
  }
}

std::int32_t TokenTable::add(std::string_view token) {
  if ((entries_.size() + 1) * 2 > slots_.size()) grow();
  const std::uint64_t hash = hash_of(token);
  const std::size_t slot = slot_of(token, hash);
  if (slots_[slot] == absent) {
    require(token.size() <= std::numeric_limits<std::uint32_t>::max(),
            "token table: a token is longer than 4 GiB");
    require(entries_.size() < static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()),
            "token table: more than 2^31 - 1 distinct tokens");
    slots_[slot] = static_cast<std::int32_t>(entries_.size());
    entries_.push_back({hash, bytes_.size(), static_cast<std::uint32_t>(token.size())});
    bytes_.append(token);
  }
  return slots_[slot];
}

std::int32_t TokenTable::find(std::string_view token) const {
  if (slots_.empty()) return absent;
  return slots_[slot_of(token, hash_of(token))];
}

}  // namespace sluice
