#include "host/network/distinct_tokens.h"

#include <algorithm>
#include <string>

#include "kernels/base/error.h"

namespace sluice {

DistinctTokens::DistinctTokens(std::int64_t vocabulary)
    : place_(static_cast<std::size_t>(vocabulary), -1) {}

void DistinctTokens::find(const std::vector<std::int32_t>& tokens, std::int64_t multiple) {
  const auto place_of = [this](std::int32_t token) -> std::int32_t& {
    return place_[static_cast<std::size_t>(token)];
  };
  for (const std::int32_t token : tokens) {
    require(token >= 0 && static_cast<std::size_t>(token) < place_.size(),
            "a batch holds the token " + std::to_string(token) + "; the vocabulary has " +
                std::to_string(place_.size()));
  }
  tokens_.clear();
  for (const std::int32_t token : tokens) {
    if (place_of(token) >= 0) continue;
    place_of(token) = 0;
    tokens_.push_back(token);
  }
  std::sort(tokens_.begin(), tokens_.end());
  for (std::size_t u = 0; u < tokens_.size(); ++u) {
    place_of(tokens_[u]) = static_cast<std::int32_t>(u);
  }
  index_.resize(tokens.size());
  for (std::size_t n = 0; n < tokens.size(); ++n) index_[n] = place_of(tokens[n]);
  for (const std::int32_t token : tokens_) place_of(token) = -1;

  const auto step = static_cast<std::size_t>(multiple);
  tokens_.resize((tokens_.size() + step - 1) / step * step, -1);
}

}  // namespace sluice
