#include "host/text/vocabulary.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr std::string_view file_kind = "# sluice vocabulary 1";

/// Whole of `text` as a decimal number.
bool parse_count(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view field = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return field;
}

}  // namespace

void TokenCounts::add(std::string_view token, std::int64_t count) {
  const auto number = static_cast<std::size_t>(table_.add(token));
  if (number == counts_.size()) counts_.push_back(0);
  counts_[number] += count;
}

void TokenCounts::merge(const TokenCounts& other) {
  for (std::int32_t i = 0; i < other.distinct(); ++i) add(other.token(i), other.count(i));
}

Vocabulary::Vocabulary(const TokenCounts& counts, const VocabularyOptions& options) {
  require(options.size == 0 || options.size > first_token,
          "vocabulary size: expected 0 (no limit) or at least 3 (padding, unknown and a token), "
          "got " +
              std::to_string(options.size));
  require(options.min_count >= 1,
          "vocabulary min_count: expected at least 1, got " + std::to_string(options.min_count));
  std::vector<std::int32_t> kept(static_cast<std::size_t>(counts.distinct()));
  std::iota(kept.begin(), kept.end(), 0);
  std::erase_if(kept, [&](std::int32_t i) { return counts.count(i) < options.min_count; });
  const auto more_frequent = [&](std::int32_t a, std::int32_t b) {
    if (counts.count(a) != counts.count(b)) return counts.count(a) > counts.count(b);
    return counts.token(a) < counts.token(b);
  };
  std::sort(kept.begin(), kept.end(), more_frequent);
  if (options.size != 0) {
    kept.resize(std::min(kept.size(), static_cast<std::size_t>(options.size - first_token)));
  }
  for (const std::int32_t i : kept) append(counts.token(i), counts.count(i));
}

void Vocabulary::append(std::string_view token, std::int64_t count) {
  require(
      !token.empty() && token.find_first_of("\t\r\n") == std::string_view::npos,
      "vocabulary: a token must not be empty nor hold a tab or a line break, got " + quote(token));
  table_.add(token);
  counts_.push_back(count);
}

std::string_view Vocabulary::token(std::int32_t id) const {
  if (id == padding) return "<padding>";
  if (id == unknown) return "<unknown>";
  return table_.token(id - first_token);
}

std::int64_t Vocabulary::count(std::int32_t id) const {
  return id < first_token ? 0 : counts_[static_cast<std::size_t>(id - first_token)];
}

std::string Vocabulary::fingerprint() const {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a over the tokens, each ended by LF
  const auto mix = [&hash](char byte) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
  };
  for (std::int32_t i = 0; i < table_.size(); ++i) {
    for (const char byte : table_.token(i)) mix(byte);
    mix('\n');
  }
  std::string digits(16, '0');
  for (std::size_t i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15];
  return digits;
}

std::string Vocabulary::to_text() const {
  std::string text(file_kind);
  text += "\ttokens=" + std::to_string(table_.size()) + "\tfingerprint=" + fingerprint() + "\n";
  for (std::int32_t i = 0; i < table_.size(); ++i) {
    text.append(table_.token(i));
    text += '\t';
    text += std::to_string(counts_[static_cast<std::size_t>(i)]);
    text += '\n';
  }
  return text;
}

Vocabulary Vocabulary::from_text(std::string_view text, const std::string& name) {
  const auto at_line = [&name](std::int64_t line, const std::string& what) {
    return Error::usage(name + ":" + std::to_string(line) + ": " + what);
  };
  constexpr std::string_view remedy =
      "; the file was changed or cut: restore it, or train again to make a new one";
  std::string_view rest = text;
  std::string_view header = take_until(rest, '\n');
  const std::string_view kind = take_until(header, '\t');
  std::string_view tokens_field = take_until(header, '\t');
  std::string_view fingerprint_field = take_until(header, '\t');
  std::int64_t expected_tokens = 0;
  constexpr std::string_view tokens_key = "tokens=", fingerprint_key = "fingerprint=";
  if (kind != file_kind || !tokens_field.starts_with(tokens_key) ||
      !parse_count(tokens_field.substr(tokens_key.size()), expected_tokens) ||
      !fingerprint_field.starts_with(fingerprint_key)) {
    throw at_line(1,
                  "expected '" + std::string(file_kind) + "<TAB>tokens=N<TAB>fingerprint=F', got " +
                      quote(text.substr(0, text.find('\n'))) + "; this is not a vocabulary file");
  }
  Vocabulary vocabulary;
  for (std::int64_t line = 2; !rest.empty(); ++line) {
    if (rest.find('\n') == std::string_view::npos) {
      throw at_line(line, "the last line is cut off" + std::string(remedy));
    }
    const std::string_view whole = take_until(rest, '\n');
    std::string_view fields = whole;
    const std::string_view token = take_until(fields, '\t');
    std::int64_t count = 0;
    if (token.empty() || token.find('\r') != std::string_view::npos || !is_valid_utf8(token) ||
        !parse_count(fields, count) || count < 0) {
      throw at_line(line, "expected token<TAB>count in UTF-8, got " + quote(whole));
    }
    if (vocabulary.table_.find(token) != TokenTable::absent) {
      throw at_line(line, "token " + quote(token) + " comes twice");
    }
    vocabulary.append(token, count);
  }
  if (vocabulary.table_.size() != expected_tokens) {
    throw at_line(1, "says " + std::to_string(expected_tokens) + " tokens, the file holds " +
                         std::to_string(vocabulary.table_.size()) + std::string(remedy));
  }
  const std::string expected(fingerprint_field.substr(fingerprint_key.size()));
  if (vocabulary.fingerprint() != expected) {
    throw at_line(1, "fingerprint " + quote(expected) + " does not match the tokens' " +
                         vocabulary.fingerprint() + std::string(remedy));
  }
  return vocabulary;
}

}  // namespace sluice
