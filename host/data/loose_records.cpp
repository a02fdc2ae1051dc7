#include "host/data/loose_records.h"

#include <utility>

#include "host/text/ascii_words.h"

namespace sluice {
namespace {

class Reader {
 public:
  Reader(std::string_view text, char delimiter, bool whole)
      : text_(text),
        delimiter_(delimiter),
        line_end_(text.find('\n') == std::string_view::npos ? '\r' : '\n'),
        whole_(whole) {}

  bool at_end() const { return at_ == text_.size(); }

  // False where the text ends before the record does.
  bool read(LooseRecord& record, bool only_one) {
    for (;;) {
      const std::size_t close = closing_quote();
      if (close == unclosed) quotes_close_ = false;  // nor do later ones
      if (close == unclosed && !whole_ && !only_one) {
        at_ = text_.size();
        return false;
      }
      if (close < unclosed) {
        record.quoted = true;
        add(record, at_ + 1, close);
        at_ = close + 1;
      } else {
        const std::size_t begin = at_;
        while (!at_end() && !ends_field(at_)) ++at_;
        add(record, begin, at_);
      }
      if (!at_end() && text_[at_] == '\r' && line_end_ == '\n') ++at_;
      if (at_end()) return false;
      if (text_[at_++] == line_end_) return true;
      if (!at_end() && text_[at_] == ' ') record.spaced = true;
    }
  }

 private:
  static constexpr std::size_t unquoted = std::string_view::npos, unclosed = unquoted - 1;

  bool ends_field(std::size_t at) const {
    return text_[at] == delimiter_ || text_[at] == line_end_ ||
           (text_[at] == '\r' && at + 1 < text_.size() && text_[at + 1] == line_end_);
  }

  // Of the field that begins here.
  std::size_t closing_quote() const {
    if (delimiter_ == '\t' || !quotes_close_ || at_end() || text_[at_] != '"') return unquoted;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] != '"') continue;
      if (i + 1 == text_.size() || ends_field(i + 1)) return i;
      if (text_[i + 1] == '"') ++i;
    }
    return unclosed;
  }

  void add(LooseRecord& record, std::size_t begin, std::size_t end) const {
    while (begin < end && is_ascii_space(text_[begin])) ++begin;
    while (begin < end && is_ascii_space(text_[end - 1])) --end;
    record.fields.emplace_back(text_.substr(begin, end - begin));
  }

  std::string_view text_;
  char delimiter_, line_end_;
  bool whole_, quotes_close_ = true;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<LooseRecord> read_loose_records(std::string_view text, char delimiter, bool whole,
                                            std::size_t most) {
  std::vector<LooseRecord> records;
  Reader reader(text, delimiter, whole);
  while (!reader.at_end() && records.size() < most) {
    LooseRecord record;
    const bool complete = reader.read(record, records.empty());
    if (!complete && !whole && !records.empty()) break;
    if (record.fields.size() > 1 || !record.fields[0].empty()) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace sluice
