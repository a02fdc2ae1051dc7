#include "host/data/word_dropout.h"

#include <algorithm>

#include "host/text/vocabulary.h"
#include "kernels/base/philox.h"

namespace sluice {

void drop_words(std::vector<std::int32_t>& tokens, double rate, std::uint64_t seed,
                std::uint32_t step) {
  if (rate == 0.0) return;
  const RandomStream random{seed, 0x574F5244u, &step};  // "WORD"
  for (std::size_t n = 0; n < tokens.size(); n += 4) {
    const Philox::Block block = random.block(0, 0, static_cast<std::uint32_t>(n / 4));
    for (std::size_t i = n; i < std::min(n + 4, tokens.size()); ++i) {
      if (tokens[i] != Vocabulary::padding && Philox::uniform(block.word[i % 4]) < rate) {
        tokens[i] = Vocabulary::unknown;
      }
    }
  }
}

}  // namespace sluice
