#include "host/data/example_sink.h"

#include <algorithm>
#include <array>
#include <utility>

#include "host/text/ascii_words.h"
#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 6> label_names = {"label",    "sentiment", "class",
                                                         "category", "target",    "polarity"};
constexpr std::array<std::string_view, 5> text_names = {"text", "review", "sentence", "content",
                                                        "body"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

template <class Equal>
int find_name(const std::vector<std::string>& names, std::string_view wanted, Equal&& equal) {
  int found = ExampleColumns::absent;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!equal(trimmed(names[i]), wanted)) continue;
    if (found != ExampleColumns::absent) return ExampleColumns::ambiguous;
    found = static_cast<int>(i);
  }
  return found;
}

template <class Aliases>
int find_column(const std::vector<std::string>& names, const std::string& wanted,
                const Aliases& aliases) {
  int found = find_name(names, wanted, std::equal_to<std::string_view>());
  if (found != ExampleColumns::absent || wanted != aliases[0]) return found;
  for (const std::string_view alias : aliases) {
    found = find_name(names, alias, equal_ignoring_case);
    if (found != ExampleColumns::absent) return found;
  }
  return found;
}

std::string invalid_utf8(const char* what, std::string_view text, std::size_t at) {
  const std::size_t begin = at - std::min<std::size_t>(at, 20);
  return std::string("the ") + what + " is not UTF-8 at its byte " + std::to_string(at + 1) +
         ", near " + quote(text.substr(begin, 40));
}

}  // namespace

ExampleColumns find_example_columns(const std::vector<std::string>& names,
                                    const ReadOptions& options) {
  return {find_column(names, options.label_column, label_names),
          find_column(names, options.text_column, text_names)};
}

void ExampleSink::accept(std::int64_t line, std::string&& text, std::string_view label) {
  label = trimmed(label);
  if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
    return reject(line, invalid_utf8("text", text, at));
  }
  if (const std::size_t at = find_invalid_utf8(label); at != std::string_view::npos) {
    return reject(line, invalid_utf8("label", label, at));
  }
  if (label.empty()) return reject(line, "the label is missing");
  if (trimmed(text).empty()) return reject(line, "the text is empty");
  if (text.size() > options_.max_text_bytes) {
    return reject(line, "the text is " + std::to_string(text.size()) + " bytes long, more than " +
                            std::to_string(options_.max_text_bytes) +
                            "; is there a stray quote, or a line break missing?");
  }
  const auto file = static_cast<std::int32_t>(set_.files.size()) - 1;
  set_.examples.push_back({std::move(text), std::string(label), file, line});
}

void ExampleSink::reject(std::int64_t line, const std::string& reason) {
  const std::string report = set_.files.back() + ":" + std::to_string(line) + ": " + reason;
  if (options_.strict) throw Error::usage(report + " (strict: the first bad row is an error)");
  ++set_.bad_rows;
  if (static_cast<int>(set_.bad_reports.size()) < options_.reported_rows) {
    set_.bad_reports.push_back(report);
  }
}

ExampleSet ExampleSink::finish(const std::string& path) {
  if (set_.examples.empty()) {
    throw Error::usage(set_.bad_rows == 0 ? path + ": expected labelled texts, found none"
                                          : path + ": not one good row; " + set_.bad_row_summary());
  }
  return std::move(set_);
}

}  // namespace sluice
