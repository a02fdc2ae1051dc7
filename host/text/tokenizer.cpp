#include "host/text/tokenizer.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "host/text/ascii_words.h"
#include "host/text/html_breaks.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

void check(UErrorCode status, const char* call) {
  if (U_FAILURE(status)) {
    throw Error::runtime(std::string("tokenizer: ICU's ") + call + " failed with " +
                         u_errorName(status) + "; are ICU's data files installed?");
  }
}

struct CloseIterator {
  void operator()(UBreakIterator* iterator) const { ubrk_close(iterator); }
};

/// Calls convert(buffer, capacity, &status), which gives the length needed, until it fits.
template <class Char, class Convert>
std::int32_t fill(std::vector<Char>& buffer, const char* call, Convert&& convert) {
  for (;;) {
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t length =
        convert(buffer.data(), static_cast<std::int32_t>(buffer.size()), &status);
    if (status != U_BUFFER_OVERFLOW_ERROR) {
      check(status, call);
      return length;
    }
    buffer.resize(static_cast<std::size_t>(length));
  }
}

enum class Content { nothing, punctuation, word };

Content content_of(const UChar* text, std::int32_t length) {
  Content content = Content::nothing;
  for (std::int32_t i = 0; i < length;) {
    UChar32 point;
    U16_NEXT(text, i, length, point);
    if (u_isalnum(point)) return Content::word;
    const std::int8_t type = u_charType(point);
    if (!u_isUWhiteSpace(point) && type != U_CONTROL_CHAR && type != U_FORMAT_CHAR) {
      content = Content::punctuation;
    }
  }
  return content;
}

}  // namespace

class Tokenizer::State {
 public:
  explicit State(TokenizerOptions options) : options_(options) {
    UErrorCode status = U_ZERO_ERROR;
    iterator_.reset(ubrk_open(UBRK_WORD, "root", nullptr, 0, &status));
    check(status, "ubrk_open");
    normalizer_ = unorm2_getNFCInstance(&status);
    check(status, "unorm2_getNFCInstance");
    // ICU's releases differ on whether these join letters as an apostrophe does.
    rules_.colon_joins = joins("a:b");
    rules_.at_joins = joins("a@b");
  }

  const TokenizerOptions& options() const { return options_; }

  const std::vector<std::string_view>& split(std::string_view text) {
    text = begin(text);
    std::size_t at = 0;
    while (at < text.size()) {
      if (is_ascii_space(text[at])) {
        ++at;
        continue;
      }
      const std::size_t start = at;
      bool ascii = true;
      for (; at < text.size() && !is_ascii_space(text[at]); ++at) {
        ascii = ascii && static_cast<unsigned char>(text[at]) < 0x80;
      }
      const std::string_view piece = text.substr(start, at - start);
      if (ascii) {
        split_ascii(piece);
      } else {
        split_unicode(piece);
      }
    }
    return end();
  }

  const std::vector<std::string_view>& split_by_icu(std::string_view text) {
    split_unicode(begin(text));
    return end();
  }

  std::string_view whole(std::string_view token) {
    if (!options_.fold_case) return token;
    check_size(token);
    bytes_.clear();
    ends_.clear();
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(token.begin(), token.end(), is_ascii)) {
      append_ascii(token);
    } else {
      const UChar* units = nullptr;
      const std::int32_t length = to_utf16(token, units);
      append(units, length);
    }
    return bytes_;
  }

 private:
  static void check_size(std::string_view text) {
    require(text.size() <= std::numeric_limits<std::int32_t>::max() / 4,
            "tokenizer: a text of " + std::to_string(text.size()) +
                " bytes is longer than 512 MiB; split it");
  }

  std::string_view begin(std::string_view text) {
    check_size(text);
    bytes_.clear();
    ends_.clear();
    return options_.strip_html_breaks ? without_html_breaks(text, stripped_) : text;
  }

  const std::vector<std::string_view>& end() {
    tokens_.clear();
    tokens_.reserve(ends_.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      tokens_.emplace_back(bytes_.data() + begin, end - begin);
      begin = end;
    }
    return tokens_;
  }

  void split_ascii(std::string_view piece) {
    while (!piece.empty()) {
      const AsciiWord word = next_ascii_word(piece, rules_);
      if (word.is_word || (options_.keep_punctuation && !word.is_control)) {
        append_ascii(piece.substr(0, word.length));
      }
      piece.remove_prefix(word.length);
    }
  }

  void append_ascii(std::string_view token) {
    for (const char c : token) {
      const bool capital = options_.fold_case && c >= 'A' && c <= 'Z';
      bytes_.push_back(capital ? static_cast<char>(c + ('a' - 'A')) : c);
    }
    ends_.push_back(bytes_.size());
  }

  void split_unicode(std::string_view text) {
    const UChar* units = nullptr;
    const std::int32_t length = to_utf16(text, units);
    UErrorCode status = U_ZERO_ERROR;
    ubrk_setText(iterator_.get(), units, length, &status);
    check(status, "ubrk_setText");
    std::int32_t start = ubrk_first(iterator_.get());
    for (std::int32_t stop = ubrk_next(iterator_.get()); stop != UBRK_DONE;
         start = stop, stop = ubrk_next(iterator_.get())) {
      const Content content = content_of(units + start, stop - start);
      if (content == Content::word ||
          (content == Content::punctuation && options_.keep_punctuation)) {
        append(units + start, stop - start);
      }
    }
  }

  /// `text` in UTF-16 and NFC; `units` points into a buffer of this object.
  std::int32_t to_utf16(std::string_view text, const UChar*& units) {
    wide_.resize(std::max(wide_.size(), text.size() + 1));
    std::int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8WithSub(wide_.data(), static_cast<std::int32_t>(wide_.size()), &length,
                         text.data(), static_cast<std::int32_t>(text.size()), 0xFFFD, nullptr,
                         &status);
    check(status, "u_strFromUTF8WithSub");
    const bool normal = unorm2_isNormalized(normalizer_, wide_.data(), length, &status);
    check(status, "unorm2_isNormalized");
    units = wide_.data();
    if (normal) return length;
    length = fill(normal_, "unorm2_normalize",
                  [&, from = length](UChar* to, std::int32_t capacity, UErrorCode* error) {
                    return unorm2_normalize(normalizer_, wide_.data(), from, to, capacity, error);
                  });
    units = normal_.data();
    return length;
  }

  void append(const UChar* units, std::int32_t length) {
    if (options_.fold_case) {
      const UChar* source = units;
      const std::int32_t source_length = length;
      length =
          fill(folded_, "u_strFoldCase", [=](UChar* to, std::int32_t capacity, UErrorCode* status) {
            return u_strFoldCase(to, capacity, source, source_length, U_FOLD_CASE_DEFAULT, status);
          });
      units = folded_.data();
    }
    const std::size_t room = static_cast<std::size_t>(length) * 3;  // UTF-8 bytes per UTF-16 unit
    const std::size_t old_size = bytes_.size();
    bytes_.resize(old_size + room);
    std::int32_t written = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strToUTF8(bytes_.data() + old_size, static_cast<std::int32_t>(room), &written, units, length,
                &status);
    check(status, "u_strToUTF8");
    bytes_.resize(old_size + static_cast<std::size_t>(written));
    ends_.push_back(bytes_.size());
  }

  bool joins(std::string_view text) { return split_by_icu(text).size() == 1; }

  TokenizerOptions options_;
  AsciiWordRules rules_;
  std::unique_ptr<UBreakIterator, CloseIterator> iterator_;
  const UNormalizer2* normalizer_ = nullptr;  // ICU's own
  std::string stripped_;
  std::vector<UChar> wide_, normal_, folded_;
  std::string bytes_;              // the tokens, one after the other
  std::vector<std::size_t> ends_;  // where each ends in bytes_
  std::vector<std::string_view> tokens_;
};

Tokenizer::Tokenizer(TokenizerOptions options) : state_(std::make_unique<State>(options)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

const TokenizerOptions& Tokenizer::options() const { return state_->options(); }

const std::vector<std::string_view>& Tokenizer::split(std::string_view text) {
  return state_->split(text);
}

const std::vector<std::string_view>& Tokenizer::split_by_icu(std::string_view text) {
  return state_->split_by_icu(text);
}

std::string_view Tokenizer::whole(std::string_view token) { return state_->whole(token); }

}  // namespace sluice
