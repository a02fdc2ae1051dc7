#include "host/data/data_fingerprint.h"

#include <bit>
#include <cstdio>

namespace sluice {

std::string data_fingerprint(const Dataset& dataset, const std::vector<std::int32_t>& rows) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a, by numbers instead of bytes
  const auto add = [&hash](std::uint32_t number) { hash = (hash ^ number) * 0x100000001b3u; };
  const auto add_steps = [&](const auto& values, std::int32_t row, std::size_t each) {
    if (values.empty()) return;
    const auto begin = static_cast<std::size_t>(dataset.offsets[static_cast<std::size_t>(row)]);
    const auto count = static_cast<std::size_t>(dataset.length(row)) * each;
    for (std::size_t i = begin * each; i < begin * each + count; ++i) {
      add(std::bit_cast<std::uint32_t>(values[i]));
    }
  };
  if (dataset.width > 0) add(static_cast<std::uint32_t>(dataset.width));
  for (const std::int32_t row : rows) {
    add(static_cast<std::uint32_t>(dataset.length(row)));
    add_steps(dataset.tokens, row, 1);
    add_steps(dataset.frames, row, static_cast<std::size_t>(dataset.width));
    add_steps(dataset.step_labels, row, 1);
    if (!dataset.labels.empty()) {
      add(static_cast<std::uint32_t>(dataset.labels[static_cast<std::size_t>(row)]));
    }
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

}  // namespace sluice
