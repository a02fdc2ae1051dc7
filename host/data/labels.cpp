#include "host/data/labels.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>
#include <utility>

#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

bool parse_integer(std::string_view text, std::int64_t& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// For messages: 'a', 'b', 'c', ...
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 10;
  std::string list;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) {
    list += (i == 0 ? "" : ", ") + quote(names[i], 40);
  }
  return names.size() > shown ? list + ", ..." : list;
}

// use(example, label, step), where steps count from 1, and a row's own label is of step 0.
template <class Use>
void for_each_label(const ExampleSet& set, Use&& use) {
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    const Example& example = set.examples[i];
    if (set.targets == TargetKind::row) use(i, example.label, 0);
    if (set.targets != TargetKind::step) continue;
    for (std::size_t t = 0; t < example.labels.size(); ++t) use(i, example.labels[t], t + 1);
  }
}

}  // namespace

LabelSet::LabelSet(std::vector<std::string> names)
    : names_(std::move(names)), by_bytes_(names_.size()) {
  std::iota(by_bytes_.begin(), by_bytes_.end(), 0);
  std::sort(by_bytes_.begin(), by_bytes_.end(),
            [this](std::int32_t a, std::int32_t b) { return name(a) < name(b); });
  for (std::size_t i = 0; i < by_bytes_.size(); ++i) {
    require(!name(by_bytes_[i]).empty(), "labels: a name is empty");
    require(i == 0 || name(by_bytes_[i - 1]) != name(by_bytes_[i]),
            "labels: " + quote(name(by_bytes_[i])) + " comes twice");
  }
}

LabelSet LabelSet::collect(const ExampleSet& set) {
  std::set<std::string_view> distinct;
  std::size_t count = 0;
  for_each_label(set, [&](std::size_t, std::string_view label, std::size_t) {
    distinct.insert(label);
    ++count;
  });
  const std::string where = set.files.empty() ? "the data" : set.files.front();
  require(distinct.size() >= 2,
          where + ": expected at least two different labels, got " +
              (distinct.empty() ? "none" : "only " + quote(*distinct.begin())));
  require(distinct.size() <= 100 || distinct.size() * 2 <= count,
          where + ": " + std::to_string(distinct.size()) + " different labels in " +
              std::to_string(count) + (set.targets == TargetKind::step ? " steps" : " rows") +
              "; is the label column the right one?");

  std::vector<std::pair<std::int64_t, std::string>> numbered;  // stays sorted by bytes
  bool all_integers = true;
  for (const std::string_view label : distinct) {
    std::int64_t value = 0;
    all_integers = all_integers && parse_integer(label, value);
    numbered.emplace_back(value, label);
  }
  if (all_integers) {
    std::stable_sort(numbered.begin(), numbered.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  std::vector<std::string> names;
  for (auto& [value, name] : numbered) names.push_back(std::move(name));
  return LabelSet(std::move(names));
}

std::int32_t LabelSet::find(std::string_view label) const {
  const auto at =
      std::lower_bound(by_bytes_.begin(), by_bytes_.end(), label,
                       [this](std::int32_t i, std::string_view value) { return name(i) < value; });
  return at != by_bytes_.end() && name(*at) == label ? *at : -1;
}

std::vector<std::int32_t> LabelSet::indices(const ExampleSet& set) const {
  std::vector<std::int32_t> indices;
  indices.reserve(set.examples.size());
  for_each_label(set, [&](std::size_t i, std::string_view label, std::size_t step) {
    const std::int32_t index = find(label);
    if (index < 0) {
      throw Error::usage(set.location(i) + ": unknown label " + quote(label) +
                         (step == 0 ? "" : " of step " + std::to_string(step)) +
                         "; the model knows " + listed(names_));
    }
    indices.push_back(index);
  });
  return indices;
}

}  // namespace sluice
