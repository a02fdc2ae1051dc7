#include <algorithm>
#include <utility>
#include <vector>

#include "host/data/example_columns.h"
#include "host/data/foreign_format.h"
#include "host/json/json_events.h"
#include "host/text/ascii_words.h"

namespace sluice {
namespace {

constexpr std::size_t most_lines = 100;

// What a JSON text holds, as far as it goes: one object, or an array of objects or strings.
class Outline : public JsonEvents {
 public:
  explicit Outline(std::string text) : size_(text.size()) {
    make_plain(text);
    complete_ = read_json(text, *this);
  }

  bool complete() const { return complete_; }
  bool cut() const { return cut_; }  // well formed up to its end
  bool says_something() const { return keys_ + strings_ > 0; }
  std::size_t keys() const { return keys_; }
  bool is_array() const { return array_; }
  bool is_flat() const { return deepest_ == 1; }

  /// Of the records' strings the one with a text's name, else the longest.
  std::string text_key() const {
    std::vector<std::string> names;
    for (const auto& field : fields_) names.push_back(field.first);
    const int column = find_example_columns(names, ReadOptions()).text;
    if (column >= 0) return names[static_cast<std::size_t>(column)];
    const auto longest =
        std::max_element(fields_.begin(), fields_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return longest == fields_.end() ? "" : longest->first;
  }

  void key(std::string name) override {
    ++keys_;
    if (depth_ == record_depth()) key_ = std::move(name);
  }
  void value(Json scalar) override {
    if (!scalar.is_string()) return key_.clear();
    ++strings_;
    if (depth_ == record_depth() && !key_.empty()) {
      add(std::exchange(key_, ""), scalar.text().size());
    }
  }
  void begin_object() override { enter(false); }
  void begin_array() override { enter(true); }
  void end_object() override { --depth_; }
  void end_array() override { --depth_; }
  void error(std::size_t position, const std::string& token, const std::string&) override {
    cut_ = position > size_;  // it counts the end as a character
    if (cut_ && token.starts_with('"') && !key_.empty()) add(key_, token.size());
  }

 private:
  // Python writes NaN and Infinity, and Latin-1 is a matter of its own.
  static void make_plain(std::string& text) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    for (const std::string_view word : {"NaN", "Infinity"}) {
      for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) {
        text.replace(at, word.size(), "0" + std::string(word.size() - 1, ' '));
      }
    }
  }

  int record_depth() const { return array_ ? 2 : 1; }
  void enter(bool array) {
    if (depth_++ == 0) array_ = array;
    deepest_ = std::max(deepest_, depth_);
    key_.clear();
  }
  void add(const std::string& name, std::size_t length) {
    const auto same = [&](const auto& field) { return field.first == name; };
    const auto found = std::find_if(fields_.begin(), fields_.end(), same);
    if (found == fields_.end()) {
      fields_.emplace_back(name, length);
    } else {
      found->second += length;
    }
  }

  std::size_t size_;
  bool complete_ = false, cut_ = false, array_ = false;
  int depth_ = 0, deepest_ = 0;
  std::size_t keys_ = 0, strings_ = 0;
  std::string key_;                                          // of the value to come
  std::vector<std::pair<std::string, std::size_t>> fields_;  // names and bytes
};

// `texts` are Python's words for an iteration over the records.
std::string filter(const std::string& text, const std::string& records) {
  return "python3 -c 'import json; [print(*str(" + text + ").split()) for " + records + "]'";
}

// As a Python string within single quotes of the shell; empty if it would need more.
std::string quoted_key(const std::string& key) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ' ' || c == '.';
  };
  if (key.empty() || !std::all_of(key.begin(), key.end(), plain)) return "";
  return "[\"" + key + "\"]";
}

std::string lines_filter(const Outline& line) {
  const std::string key = quoted_key(line.text_key());
  if (line.is_array() || key.empty()) return "";
  return filter("json.loads(l)" + key, "l in open(0) if l.strip()");
}

std::string array_filter(const Outline& array) {
  const std::string key = quoted_key(array.text_key());
  if (key.empty() && !array.is_flat()) return "";
  return filter("o" + key, "o in json.load(open(0))");
}

bool may_be_json(std::string_view text) {
  return !text.empty() && (text.front() == '{' || text.front() == '[');
}

}  // namespace

std::optional<ForeignFormat> find_json(std::string_view begin, bool whole) {
  whole = whole && begin.size() <= telling_bytes;
  begin = begin.substr(0, telling_bytes);
  std::size_t lines = 0, json_lines = 0;
  std::string first;
  for (std::size_t at = 0; at < begin.size() && lines < most_lines;) {
    const std::size_t end = begin.find('\n', at);
    if (end == std::string_view::npos && !whole) break;
    const std::string_view line = trim_ascii(begin.substr(at, end - at));
    at = end == std::string_view::npos ? begin.size() : end + 1;
    if (line.empty()) continue;
    ++lines;
    if (!may_be_json(line)) continue;
    const Outline outline{std::string(line)};
    if (!outline.complete() || !outline.says_something()) continue;
    if (++json_lines == 1) first = line;
  }
  const Outline line{std::move(first)};
  if (json_lines * 2 > lines && !(lines == 1 && line.is_array())) {
    return ForeignFormat{"JSON lines", lines_filter(line)};
  }

  begin = trim_ascii(begin);
  if (!may_be_json(begin)) return std::nullopt;
  const Outline document{std::string(begin)};
  const bool one_line = begin.find('\n') == std::string_view::npos;
  const bool enough = document.complete() || (document.cut() && (!whole || document.keys() > 1));
  if (!enough || !document.says_something()) return std::nullopt;
  if (document.is_array()) return ForeignFormat{"a JSON array", array_filter(document)};
  return one_line ? ForeignFormat{"JSON lines", lines_filter(document)} : ForeignFormat{"JSON", ""};
}

}  // namespace sluice
