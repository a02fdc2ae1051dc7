// Word dropout: some of a batch's tokens become `unknown`.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

/// Replaces each token, except padding, by Vocabulary::unknown with probability `rate`. Whether
/// token n of the packed batch goes depends on (seed, step, n) alone.
void drop_words(std::vector<std::int32_t>& tokens, double rate, std::uint64_t seed,
                std::uint32_t step);

}  // namespace sluice
