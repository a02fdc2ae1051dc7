#include "host/data/distinct_tokens.h"

#include <algorithm>
#include <string>

#include "kernels/base/error.h"

namespace sluice {

void DistinctFinder::find(const std::vector<std::int32_t>& tokens, const DistinctSearch& search,
                          DistinctTokens& found) {
  place_.resize(static_cast<std::size_t>(search.vocabulary), -1);
  const auto place_of = [this](std::int32_t token) -> std::int32_t& {
    return place_[static_cast<std::size_t>(token)];
  };
  for (const std::int32_t token : tokens) {
    require(token >= 0 && static_cast<std::size_t>(token) < place_.size(),
            "a batch holds the token " + std::to_string(token) + "; the vocabulary has " +
                std::to_string(place_.size()));
  }
  found.tokens.clear();
  for (const std::int32_t token : tokens) {
    if (place_of(token) >= 0) continue;
    place_of(token) = 0;
    found.tokens.push_back(token);
  }
  std::sort(found.tokens.begin(), found.tokens.end());
  for (std::size_t u = 0; u < found.tokens.size(); ++u) {
    place_of(found.tokens[u]) = static_cast<std::int32_t>(u);
  }
  found.index.resize(tokens.size());
  for (std::size_t n = 0; n < tokens.size(); ++n) found.index[n] = place_of(tokens[n]);
  for (const std::int32_t token : found.tokens) place_of(token) = -1;

  const auto step = static_cast<std::size_t>(search.multiple);
  found.tokens.resize((found.tokens.size() + step - 1) / step * step, -1);
}

}  // namespace sluice
