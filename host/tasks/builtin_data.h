// Which examples to make where no file is given.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

/// Under which ModelDescription::notes of a run keep it.
inline constexpr const char* builtin_note = "builtin_reviews";

/// As the command line has it; a task reads what means something to it.
struct BuiltinData {
  std::string kind = "contrast";
  std::int32_t count = 10000;
  std::int32_t words = 2000;
  std::int32_t distance = 20;
  std::int32_t distance_min = 0;
  std::uint64_t seed = 1;

  /// The held-out examples that go with them: another seed, `count` of them.
  BuiltinData held_out(std::int32_t held_out_count) const;

  /// For a run's notes, so that examples of the same kind can be made for it.
  std::string to_json() const;
  /// Errors: runtime; `where` stands for the text's origin.
  static BuiltinData from_json(const std::string& json, const std::string& where);
};

}  // namespace sluice
