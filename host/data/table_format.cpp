#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "host/data/foreign_format.h"
#include "host/data/loose_records.h"
#include "host/text/ascii_words.h"
#include "host/text/utf8.h"

namespace sluice {
namespace {

constexpr std::size_t most_records = 200;

// Names of columns, or parts of them.
constexpr std::string_view text_names[] = {"text",    "review",   "sentence", "content",
                                           "body",    "comment",  "comments", "tweet",
                                           "message", "document", "phrase"};
constexpr std::string_view lesser_text_names[] = {"title", "headline", "summary", "description"};
constexpr std::string_view other_names[] = {"label",    "sentiment", "class", "category", "target",
                                            "polarity", "rating",    "stars", "star",     "score",
                                            "id",       "index",     "idx",   "date",     "user"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || is_capital(c); }

std::size_t count_words(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_ascii_space(text[i]) && (i == 0 || is_ascii_space(text[i - 1]))) ++count;
  }
  return count;
}

bool is_number(std::string_view text) {
  const auto of_numbers = [](char c) { return is_digit(c) || c == '.' || c == '-'; };
  return std::any_of(text.begin(), text.end(), is_digit) &&
         std::all_of(text.begin(), text.end(), of_numbers);
}

// The 1 and the 200 of 1,200, and the 5 and the 99 of 5,99 behind a word.
bool is_within_number(const std::vector<std::string>& fields, std::size_t c) {
  if (c > 0 && count_words(fields[c - 1]) > 1 && is_digit(fields[c - 1].back())) return true;
  if (c + 1 == fields.size() || fields[c + 1].size() < 3) return false;
  const std::string& next = fields[c + 1];
  return std::all_of(next.begin(), next.begin() + 3, is_digit) &&
         (next.size() == 3 || !is_digit(next[3]));
}

// A word or a few, no sentence. The column of an index has an empty name.
bool is_name(std::string_view field) {
  const auto of_names = [](char c) {
    return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("_-. /()#:").find(c) != std::string_view::npos;
  };
  return field.size() <= 40 && count_words(field) <= 3 && !is_number(field) &&
         !field.ends_with('.') && std::all_of(field.begin(), field.end(), of_names);
}

// Whether the name or a part of it is among `names`: review, review_text, reviewText.
bool is_among(std::span<const std::string_view> names, std::string_view field) {
  std::string part;
  for (std::size_t i = 0; i <= field.size(); ++i) {
    const char c = i < field.size() ? field[i] : '_';
    const bool begins =
        c == '_' || c == '-' || c == '.' || (is_capital(c) && i > 0 && !is_capital(field[i - 1]));
    if (begins) {
      if (std::find(names.begin(), names.end(), part) != names.end()) return true;
      part.clear();
    }
    if (is_capital(c)) {
      part += static_cast<char>(c - 'A' + 'a');
    } else if (is_letter(c) || c == ' ') {
      part += c;
    }
  }
  return false;
}

bool names_other(const std::string& field) { return is_among(other_names, field); }
bool names_text(const std::string& field) {
  return is_among(text_names, field) && !names_other(field);  // not review_id
}
bool names_lesser_text(const std::string& field) {
  return is_among(lesser_text_names, field) && !names_other(field);
}

class Table {
 public:
  Table(std::string_view begin, char delimiter, bool whole)
      : records_(read_loose_records(begin, delimiter, whole, most_records)),
        delimiter_(delimiter) {}

  bool is_one() {
    if (records_.empty()) return false;
    std::size_t alike = 0, spaced = 0, quoted = 0;
    for (const LooseRecord& record : records_) {
      if (record.fields.size() == columns()) ++alike;
      if (record.spaced) ++spaced;
      if (record.quoted) ++quoted;
    }
    const std::size_t count = records_.size();
    // One column, which has to be quoted where there are commas.
    if (columns() == 1) return header_ = quoted > 0 && names_text(records_[0].fields[0]);
    const bool even = count > 1 && alike * 10 >= count * 9;
    header_ = has_header(even);
    if (header_) return true;
    if (!even || spaced * 10 > count) return false;
    if (quoted * 2 >= count) return true;
    if (delimiter_ == '\t' && count > 2) return !is_indented();
    return has_texts_beside_labels();
  }

  std::string name() const {
    const std::string kind = delimiter_ == '\t'  ? "TSV"
                             : delimiter_ == ';' ? "CSV with semicolons"
                                                 : "CSV";
    if (!header_) return kind + " of " + std::to_string(columns()) + " columns";
    std::string header = records_[0].fields[0];
    for (std::size_t c = 1; c < columns(); ++c) {
      header += (delimiter_ == '\t' ? " " : ",") + records_[0].fields[c];
    }
    return kind + " with the header " + quote(header, 40);
  }

  // Takes out the texts, one a line.
  std::string filter() const {
    const std::size_t c = text_column();
    const std::string column = std::to_string(c);
    if (delimiter_ == '\t') {
      return std::string("awk -F'\\t' '") + (header_ ? "NR>1" : "") + "{print $" +
             std::to_string(c + 1) + "}'";
    }
    const std::string input = "open(0,errors=\"replace\")";
    const std::string rows =
        "csv.reader(" + input + (delimiter_ == ';' ? ",delimiter=\";\")" : ")");
    return "python3 -c 'import csv; [print(*r[" + column + "].split()) for r in " +
           (header_ ? "list(" + rows + ")[1:]" : rows) + " if len(r)>" + column + "]'";
  }

 private:
  std::size_t columns() const { return records_[0].fields.size(); }

  bool has_header(bool even) const {
    const auto& fields = records_[0].fields;
    if (!std::all_of(fields.begin(), fields.end(), is_name)) return false;
    const bool text = std::any_of(fields.begin(), fields.end(), names_text) ||
                      std::any_of(fields.begin(), fields.end(), names_lesser_text);
    const bool other = std::any_of(fields.begin(), fields.end(), names_other);
    const bool tight = !records_[0].spaced;
    return (text && other && (tight || even)) || ((text || other) && tight && even);
  }

  // Tabs before and behind what each line says.
  bool is_indented() const {
    return std::all_of(records_.begin(), records_.end(), [](const LooseRecord& record) {
      return std::count(record.fields.begin(), record.fields.end(), "") + 1 >=
             static_cast<std::ptrdiff_t>(record.fields.size());
    });
  }

  bool has_texts_beside_labels() const {
    bool texts = false, labels = false;
    for (std::size_t c = 0; c < columns(); ++c) {
      std::size_t rows = 0, numbers = 0, parts = 0, single = 0, words = 0;
      std::set<std::string> values;
      // The first may be a header, where there are more.
      for (std::size_t i = records_.size() > 2 ? 1 : 0; i < records_.size(); ++i) {
        const auto& fields = records_[i].fields;
        if (fields.size() != columns()) continue;
        ++rows;
        values.insert(fields[c]);
        words += count_words(fields[c]);
        if (count_words(fields[c]) == 1) ++single;
        if (is_number(fields[c])) ++numbers;
        if (is_within_number(fields, c)) ++parts;
      }
      const bool few = rows > 1 && values.size() <= (rows + 1) / 2;
      if ((numbers == rows || (single == rows && few)) && parts < rows) labels = true;
      if (words >= 2 * rows) texts = true;
    }
    return texts && labels;
  }

  std::size_t text_column() const {
    const auto& header = records_[0].fields;
    const auto named = std::find_if(header.begin(), header.end(), names_text);
    if (header_ && named != header.end()) return static_cast<std::size_t>(named - header.begin());
    std::vector<std::size_t> bytes(columns());
    for (std::size_t i = header_ && records_.size() > 1 ? 1 : 0; i < records_.size(); ++i) {
      const auto& fields = records_[i].fields;
      for (std::size_t c = 0; c < std::min(columns(), fields.size()); ++c)
        bytes[c] += fields[c].size();
    }
    return static_cast<std::size_t>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
  }

  std::vector<LooseRecord> records_;
  char delimiter_;
  bool header_ = false;
};

}  // namespace

std::optional<ForeignFormat> find_table(std::string_view begin, bool whole) {
  whole = whole && begin.size() <= telling_bytes;
  begin = begin.substr(0, telling_bytes);
  for (const char delimiter : {'\t', ',', ';'}) {
    Table table(begin, delimiter, whole);
    if (table.is_one()) return ForeignFormat{table.name(), table.filter()};
  }
  return std::nullopt;
}

}  // namespace sluice
