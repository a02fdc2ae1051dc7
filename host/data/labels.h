// The classes of a data set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/examples.h"

namespace sluice {

/// Label names and their class indices 0, 1, ... C-1: in numeric order if every label is an
/// integer, else in the order of their bytes, so that the order never depends on that of the rows.
class LabelSet {
 public:
  LabelSet() = default;
  /// As a checkpoint keeps them, in the order given. Errors: usage when a name is empty or comes
  /// twice.
  explicit LabelSet(std::vector<std::string> names);
  /// Of rows or of steps, as set.targets says. Errors: usage when there are fewer than two labels,
  /// or so many that the column must be wrong.
  static LabelSet collect(const ExampleSet& set);

  std::int32_t size() const { return static_cast<std::int32_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(std::int32_t index) const {
    return names_[static_cast<std::size_t>(index)];
  }
  /// -1 when there is no such label.
  std::int32_t find(std::string_view label) const;
  /// Class index of every example, or of every step of one after the other; empty without targets.
  /// Errors: usage with file and line for a label not in the set.
  std::vector<std::int32_t> indices(const ExampleSet& set) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::int32_t> by_bytes_;  // indices into names_, sorted by name
};

}  // namespace sluice
