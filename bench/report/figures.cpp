#include "bench/report/figures.h"

#include <algorithm>
#include <cstdio>

#include "bench/measure/statistics.h"

namespace sluice::bench {
namespace {

using nlohmann::ordered_json;

constexpr const char* kLimit = "limit";

// How many times the bound a case reaches, and the share of it that is noise.
struct Ratio {
  double value = 0, noise = 0;
  std::string case_name;
};

struct Row {
  ordered_json first;  // the entry that appeared first
  int shapes = 0;
  std::vector<Ratio> ratios;

  bool at_most() const { return first["opponents"].front() == kLimit; }
  double bound(const char* which) const { return first.value(which, 0.0); }

  // A case's margin over a bound: 1 just reaches it.
  double margin(const Ratio& ratio, double bound) const {
    return at_most() ? bound / ratio.value : ratio.value / bound;
  }
  bool all_reach(double bound) const {
    return std::all_of(ratios.begin(), ratios.end(), [&](const Ratio& ratio) {
      return margin(ratio, bound) * (1 + ratio.noise) >= 1;
    });
  }
};

bool failed(const ordered_json& entry) { return entry.value("error_occurred", false); }

// Half the range from p10 to p90, over the median.
double spread(const ordered_json& entry) {
  const double median = entry["real_time"];
  return (entry.value("p90", median) - entry.value("p10", median)) / 2 / median;
}

bool is_opponent(const ordered_json& own, const ordered_json& other) {
  const ordered_json& names = own["opponents"];
  return other["case"] == own["case"] && !failed(other) &&
         std::find(names.begin(), names.end(), other["implementation"]) != names.end();
}

const ordered_json* fastest_opponent(const ordered_json& own,
                                     const std::vector<ordered_json>& summaries) {
  const ordered_json* fastest = nullptr;
  for (const ordered_json& each : summaries) {
    if (!is_opponent(own, each)) continue;
    if (fastest == nullptr || each["real_time"] < (*fastest)["real_time"]) fastest = &each;
  }
  return fastest;
}

void add_limit(Row& row, const ordered_json& own) {
  const std::string algorithm = own.value("algorithm", "");
  const bool counts = algorithm == "persistent_block" || algorithm == "persistent_cluster";
  if (!counts && !failed(own)) return;
  ++row.shapes;
  if (failed(own)) return;
  const double time = own["real_time"], limit = own["limit_us"];
  row.ratios.push_back({time / limit, 0.0, own["case"]});
}

void add_comparison(Row& row, const ordered_json& own, const std::vector<ordered_json>& summaries) {
  ++row.shapes;
  const ordered_json* const other = failed(own) ? nullptr : fastest_opponent(own, summaries);
  if (other == nullptr) return;
  const double theirs = (*other)["real_time"], ours = own["real_time"];
  const bool allows = own.value("within_noise", false);
  row.ratios.push_back({theirs / ours, allows ? spread(own) + spread(*other) : 0.0, own["case"]});
}

std::string verdict(const Row& row, double mean) {
  if (row.ratios.empty()) return "not measured";
  const double least = row.bound("at_least"), aim = row.bound("aim");
  std::string text = "not reached";
  if (least == 0) {
    text = "stated";
  } else if (aim != 0 && row.all_reach(aim)) {
    text = "aim reached";
  } else if (row.all_reach(least)) {
    text = "reached";
  } else if (row.margin({mean, 0.0, ""}, least) >= 1) {
    text = "reached on average";
  }
  return text + (static_cast<int>(row.ratios.size()) < row.shapes ? " so far" : "");
}

ordered_json row_json(const Row& row) {
  ordered_json found = {{"figure", row.first["figure"]},
                        {"against", row.first["opponents"]},
                        {"at_least", row.bound("at_least")},
                        {"aim", row.bound("aim")},
                        {"shapes", row.shapes},
                        {"measured", row.ratios.size()}};
  double mean = 0;
  if (!row.ratios.empty()) {
    std::vector<double> values;
    for (const Ratio& ratio : row.ratios) values.push_back(ratio.value);
    mean = geometric_mean(values);
    const auto worst = std::min_element(
        row.ratios.begin(), row.ratios.end(),
        [&](const Ratio& a, const Ratio& b) { return row.margin(a, 1) < row.margin(b, 1); });
    found["geometric_mean"] = mean;
    found["worst"] = worst->value;
    found["worst_case"] = worst->case_name;
  }
  found["verdict"] = verdict(row, mean);
  return found;
}

std::string times(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3gx", value);
  return text;
}

}  // namespace

ordered_json Figure::fields() const {
  ordered_json found = {{"figure", name}, {"opponents", opponents}};
  if (at_least != 0) found["at_least"] = at_least;
  if (aim != 0) found["aim"] = aim;
  if (within_noise) found["within_noise"] = true;
  return found;
}

ordered_json figure_rows(const std::vector<ordered_json>& summaries) {
  std::vector<Row> rows;
  for (const ordered_json& each : summaries) {
    if (!each.contains("figure")) continue;
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const Row& one) { return one.first["figure"] == each["figure"]; });
    if (row == rows.end()) row = rows.insert(rows.end(), Row{each, 0, {}});
    if (row->at_most()) {
      add_limit(*row, each);
    } else {
      add_comparison(*row, each, summaries);
    }
  }
  ordered_json found = ordered_json::array();
  for (const Row& row : rows) found.push_back(row_json(row));
  return found;
}

std::string figure_lines(const ordered_json& rows) {
  std::string text;
  for (const ordered_json& row : rows) {
    const double least = row["at_least"], aim = row["aim"];
    const bool at_most = row["against"].front() == kLimit;
    text += "figure, " + row["figure"].get<std::string>() + ": ";
    if (least != 0) text += (at_most ? "within " : "at least ") + times(least) + ", ";
    if (aim != 0) text += "aim " + times(aim) + ", ";
    if (row.contains("worst")) {
      text += "geometric mean " + times(row["geometric_mean"]) + " over " + row["measured"].dump() +
              " of " + row["shapes"].dump() + " shapes, worst " + times(row["worst"]) + " (" +
              row["worst_case"].get<std::string>() + "): ";
    }
    text += row["verdict"].get<std::string>() + "\n";
  }
  return text;
}

}  // namespace sluice::bench
