// Which tokens a model knows, and their numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/text/token_table.h"

namespace sluice {

/// How often each token of a text collection occurs.
class TokenCounts {
 public:
  void add(std::string_view token, std::int64_t count = 1);
  void merge(const TokenCounts& other);
  std::int32_t distinct() const { return table_.size(); }
  std::string_view token(std::int32_t number) const { return table_.token(number); }
  std::int64_t count(std::int32_t number) const {
    return counts_[static_cast<std::size_t>(number)];
  }

 private:
  TokenTable table_;
  std::vector<std::int64_t> counts_;
};

struct VocabularyOptions {
  std::int32_t size = 0;       ///< at most this many ids, padding and unknown included; 0: no limit
  std::int64_t min_count = 1;  ///< rarer tokens are left out
};

/// Ids: 0 padding, 1 unknown, then the tokens by falling count, equal counts by their bytes.
class Vocabulary {
 public:
  static constexpr std::int32_t padding = 0;
  static constexpr std::int32_t unknown = 1;
  static constexpr std::int32_t first_token = 2;

  /// Padding and unknown alone.
  Vocabulary() = default;
  /// Errors: usage when size is 1, 2 or negative, or min_count below 1.
  Vocabulary(const TokenCounts& counts, const VocabularyOptions& options);

  /// V: the number of ids, the two special ones included.
  std::int32_t size() const { return table_.size() + first_token; }

  /// The token's id, or `unknown`.
  std::int32_t id(std::string_view token) const {
    const std::int32_t number = table_.find(token);
    return number == TokenTable::absent ? unknown : number + first_token;
  }
  /// "<padding>" and "<unknown>" for the special ids. Valid while this object lives.
  std::string_view token(std::int32_t id) const;
  /// 0 for the special ids.
  std::int64_t count(std::int32_t id) const;

  /// 16 hexadecimal digits over tokens and order (not counts): a checkpoint keeps it, so that
  /// weights never meet another vocabulary's ids.
  std::string fingerprint() const;

  /// As a file (host/checkpoint/vocabulary_file.h): line 1 is "# sluice vocabulary
  /// 1<TAB>tokens=N<TAB>fingerprint=F", then for each token of id 2, 3, ... a line token<TAB>count.
  /// UTF-8.
  std::string to_text() const;
  /// `name` stands for the file in messages. Errors: usage with file and line when a line is
  /// malformed, a token comes twice, or number or fingerprint disagree with line 1.
  static Vocabulary from_text(std::string_view text, const std::string& name);

 private:
  void append(std::string_view token, std::int64_t count);

  TokenTable table_;
  std::vector<std::int64_t> counts_;
};

}  // namespace sluice
