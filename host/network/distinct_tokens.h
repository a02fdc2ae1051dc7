// The different words of a batch, so that each is embedded and multiplied once.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

/// Keeps its memory from batch to batch.
class DistinctTokens {
 public:
  /// `vocabulary`: V.
  explicit DistinctTokens(std::int64_t vocabulary);

  /// Finds those of `tokens`. `multiple`: the list is padded with -1 to a multiple of it, so that
  /// batches of like size have lists of the same size. Errors: usage when a token is not in [0, V).
  void find(const std::vector<std::int32_t>& tokens, std::int64_t multiple = 1);

  const std::vector<std::int32_t>& tokens() const { return tokens_; }  ///< [U] rising, then -1
  const std::vector<std::int32_t>& index() const { return index_; }    ///< [N] into tokens()

 private:
  std::vector<std::int32_t> place_;  // [V] of a token in tokens_; -1: not there
  std::vector<std::int32_t> tokens_, index_;
};

}  // namespace sluice
