// Text to tokens: words and punctuation by the Unicode rules.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct TokenizerOptions {
  bool fold_case = true;          ///< Unicode's full case folding: "Straße" and "STRASSE" are one
  bool strip_html_breaks = true;  ///< <br>, <br />, </BR> and the like count as a space
  bool keep_punctuation = true;   ///< false: only tokens with a letter or a digit
};

/// Splits UTF-8 at white space and then at the word boundaries of UAX #29: "don't" and "3.14" are
/// one token, "well-made" is three, "..." is three. Scripts without spaces (Chinese, Thai) are
/// split by ICU's dictionaries. Text is brought to Unicode's form NFC first; white space and
/// control characters are never part of a token. Ill-formed UTF-8 becomes U+FFFD: check with
/// host/text/utf8.h where that matters.
///
/// Plain ASCII, most of English, takes a path of its own, several times as fast as ICU and with the
/// same result. An object keeps scratch memory, so use one per thread.
class Tokenizer {
 public:
  explicit Tokenizer(TokenizerOptions options = {});
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  const TokenizerOptions& options() const;

  /// The tokens of `text` in order. The views stay valid until the next call or the end of `*this`.
  /// Errors: runtime, if ICU fails (its data files are missing).
  const std::vector<std::string_view>& split(std::string_view text);

  /// `token` as it stands, its case folded if the options say so (and then in NFC). The view stays
  /// valid until the next call or the end of `*this` or of `token`.
  std::string_view whole(std::string_view token);

  /// As split(), but everything through ICU: the fast path's witness in the tests.
  const std::vector<std::string_view>& split_by_icu(std::string_view text);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
