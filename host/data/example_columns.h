// Which columns of a table, or keys of an object, are the example.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/data/examples.h"

namespace sluice {

/// Indices into the names.
struct ExampleColumns {
  static constexpr int absent = -1;
  static constexpr int ambiguous = -2;  ///< the name comes twice
  int label = absent;
  int text = absent;  ///< of the text; where targets are steps or none, of a list, or else a text
  bool list = false;  ///< the name is one of a list of tokens or frames
};

/// By ReadOptions' rules.
ExampleColumns find_example_columns(const std::vector<std::string>& names,
                                    const ReadOptions& options);

}  // namespace sluice
