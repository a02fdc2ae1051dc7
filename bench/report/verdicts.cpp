#include "bench/report/verdicts.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "bench/measure/statistics.h"
#include "bench/report/figures.h"

namespace sluice::bench {
namespace {

using nlohmann::ordered_json;

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string feature_line(const std::vector<ordered_json>& summaries) {
  std::vector<double> costs;
  const ordered_json* worst = nullptr;
  for (const ordered_json& each : summaries) {
    if (!each.contains("cost")) continue;
    costs.push_back(each["cost"]);
    if (worst == nullptr || each["cost"] > (*worst)["cost"]) worst = &each;
  }
  if (costs.empty()) return "";
  return "features, cost against the plain layer: geometric mean " +
         number("%.3f", geometric_mean(costs)) + ", worst " + number("%.3f", (*worst)["cost"]) +
         " (" + (*worst)["case"].get<std::string>() + "), aim " +
         number("%.1f", (*worst)["cost_aim"]) + "\n";
}

std::string scaling_lines(const std::vector<ordered_json>& summaries) {
  std::string text;
  for (const ordered_json& each : summaries) {
    if (!each.contains("nonlinearity")) continue;
    text += "scaling, " + each["cell"].get<std::string>() + " against " +
            each["axis"].get<std::string>() + ": cost proportional within " +
            number("%.1f", 100 * each["nonlinearity"].get<double>()) + " % from " +
            number("%g", each["linear_from"]) + " to " + number("%g", each["value"]) + "\n";
  }
  return text;
}

// Bytes for a further step, between neighbours in T.
std::vector<double> slopes(const std::map<double, double>& bytes) {
  std::vector<double> found;
  for (auto right = std::next(bytes.begin()); right != bytes.end(); ++right) {
    const auto left = std::prev(right);
    found.push_back((right->second - left->second) / (right->first - left->first));
  }
  return found;
}

std::string memory_lines(const std::vector<ordered_json>& summaries) {
  std::map<std::string, std::map<double, double>> bytes;  // by T, of each cell and implementation
  for (const ordered_json& each : summaries) {
    if (each["suite"] != "memory" || !each.contains("bytes")) continue;
    bytes[each["cell"].get<std::string>() + ", " + each["implementation"].get<std::string>()]
         [each["T"]] = each["bytes"];
  }
  std::string text;
  for (const auto& [name, by_steps] : bytes) {
    const std::vector<double> found = slopes(by_steps);
    if (found.empty()) continue;
    const auto [least, most] = std::minmax_element(found.begin(), found.end());
    text += "memory, " + name + ": " + number("%.1f", *most / 1024) +
            " KiB for each further step, the same within " +
            number("%.1f", 100 * (*most - *least) / *most) +
            " % from T = " + number("%g", by_steps.begin()->first) + " to " +
            number("%g", by_steps.rbegin()->first) + "\n";
  }
  return text;
}

}  // namespace

std::string verdicts(const std::vector<ordered_json>& summaries) {
  return feature_line(summaries) + scaling_lines(summaries) + memory_lines(summaries) +
         figure_lines(figure_rows(summaries));
}

}  // namespace sluice::bench
