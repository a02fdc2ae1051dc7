#include "host/data/example_columns.h"

#include <algorithm>
#include <functional>
#include <span>

#include "host/text/ascii_words.h"

namespace sluice {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view label_names[] = {"label",    "sentiment", "class",
                                            "category", "target",    "polarity"};
constexpr std::string_view step_label_names[] = {"labels", "tags", "ner_tags", "pos_tags", "label"};
constexpr std::string_view text_names[] = {"text", "review", "sentence", "content", "body"};
constexpr std::string_view list_names[] = {"tokens", "words", "frames"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

template <class Equal>
int find_name(const std::vector<std::string>& names, std::string_view wanted, Equal&& equal) {
  int found = ExampleColumns::absent;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!equal(trim_ascii(names[i]), wanted)) continue;
    if (found != ExampleColumns::absent) return ExampleColumns::ambiguous;
    found = static_cast<int>(i);
  }
  return found;
}

int find_exactly(const std::vector<std::string>& names, std::string_view wanted) {
  return find_name(names, wanted, std::equal_to<std::string_view>());
}

int find_among(const std::vector<std::string>& names, Names aliases) {
  for (const std::string_view alias : aliases) {
    const int found = find_name(names, alias, equal_ignoring_case);
    if (found != ExampleColumns::absent) return found;
  }
  return ExampleColumns::absent;
}

// A name that was not chosen gives way to others.
int find_column(const std::vector<std::string>& names, const std::string& wanted, Names aliases) {
  const int found = find_exactly(names, wanted);
  return found != ExampleColumns::absent || wanted != aliases[0] ? found
                                                                 : find_among(names, aliases);
}

}  // namespace

ExampleColumns find_example_columns(const std::vector<std::string>& names,
                                    const ReadOptions& options) {
  ExampleColumns columns;
  const bool lists_first = options.targets != TargetKind::row;
  if (options.targets == TargetKind::step && options.label_column == label_names[0]) {
    columns.label = find_among(names, step_label_names);
  } else {
    columns.label = find_column(names, options.label_column, label_names);
  }
  const bool chosen = options.text_column != text_names[0];
  const int list = chosen ? ExampleColumns::absent : find_among(names, list_names);
  columns.text = find_column(names, options.text_column, text_names);
  if (list != ExampleColumns::absent && (lists_first || columns.text == ExampleColumns::absent)) {
    columns.text = list;
  }
  if (columns.text >= 0) {
    const std::string& name = names[static_cast<std::size_t>(columns.text)];
    columns.list = find_among({name}, list_names) >= 0;
  }
  return columns;
}

}  // namespace sluice
