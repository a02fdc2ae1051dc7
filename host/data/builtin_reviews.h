// Made-up film reviews: data to show and test with where no file is given.
#pragma once

#include <cstdint>

#include "host/data/examples.h"

namespace sluice {

enum class BuiltinTask {
  /// Reviews whose verdict is a matter of word order: which clause decides ("X was dull, but Y was
  /// superb"), negation, sentences on other things. Counts of words hardly tell the label.
  contrast,
  /// The first sentence decides, then follow `distance` tokens that say nothing.
  long_memory,
};

struct BuiltinReviewsOptions {
  BuiltinTask task = BuiltinTask::contrast;
  std::int32_t count = 4000;       ///< reviews; labels are balanced: "negative", "positive"
  std::uint64_t seed = 1;          ///< take another one for the test set
  std::int32_t vocabulary = 2000;  ///< distinct words, about; the tail is invented, by Zipf's law
  std::int32_t distance_min = 0;   ///< tokens after the deciding word, the full stop included:
  std::int32_t distance_max = 20;  ///< uniform between the two
};

/// Review i is a function of (options, i) alone. Errors: usage, naming the option, when count,
/// vocabulary or the distances are out of range.
ExampleSet builtin_reviews(const BuiltinReviewsOptions& options);

}  // namespace sluice
