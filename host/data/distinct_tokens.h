// The different words of a batch, so that each is embedded and multiplied once.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

struct DistinctTokens {
  std::vector<std::int32_t> tokens;  ///< [U] rising, then -1
  std::vector<std::int32_t> index;   ///< [N] into tokens; empty where nobody has searched
};

/// Whether and how a network wants them.
struct DistinctSearch {
  std::int64_t vocabulary = 0;  ///< V; 0: not at all
  std::int64_t multiple = 1;    ///< the list is padded with -1 to a multiple of it, so that batches
                                ///< of like size have lists of the same size
};

/// Keeps its memory from batch to batch.
class DistinctFinder {
 public:
  /// Those of `tokens`, into `found`. Errors: usage when a token is not in [0, V).
  void find(const std::vector<std::int32_t>& tokens, const DistinctSearch& search,
            DistinctTokens& found);

 private:
  std::vector<std::int32_t> place_;  // [V] of a token in the list; -1: not there
};

}  // namespace sluice
