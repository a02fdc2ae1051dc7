// Made-up sentences with a label for each token: data to show and test with where no file is given.
#pragma once

#include <cstdint>

#include "host/data/examples.h"

namespace sluice {

struct BuiltinSentencesOptions {
  std::int32_t count = 4000;  ///< sentences
  std::uint64_t seed = 1;     ///< take another one for the test set
  std::int32_t words =
      2000;  ///< distinct ones, about; all but the grammar's are names, by Zipf's law
};

/// Names of people, places and films among words of the label O. Any name may be any of the three:
/// the words around it decide, those before it, those behind it or both. So a model that reads in
/// one direction misses part of them. Sentence i is a function of (options, i) alone.
/// Errors: usage, naming the option, when count or words are out of range.
ExampleSet builtin_sentences(const BuiltinSentencesOptions& options);

}  // namespace sluice
