#include "bench/report/table.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include "bench/layers/input_product.h"
#include "bench/measure/statistics.h"
#include "bench/report/verdicts.h"

namespace sluice::bench {
namespace {

using nlohmann::ordered_json;

struct CaseRow {
  std::string name, suite;
  const ordered_json* own = nullptr;                   // Sluice's median
  std::map<std::string, const ordered_json*> medians;  // of every implementation
};

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string left(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

struct Grouped {
  std::vector<CaseRow> rows;
  std::vector<std::string> peers;  // in the order of their first appearance
  std::map<std::string, std::vector<std::string>> refusals;  // "peer: message" -> cases
};

Grouped group(const std::vector<ordered_json>& summaries) {
  Grouped grouped;
  for (const ordered_json& each : summaries) {
    const std::string name = each["case"], implementation = each["implementation"];
    if (implementation == kInputProduct) continue;
    if (each.value("error_occurred", false)) {
      grouped.refusals[implementation + ": " + each.value("error_message", "")].push_back(name);
      continue;
    }
    auto found = std::find_if(grouped.rows.begin(), grouped.rows.end(),
                              [&](const CaseRow& row) { return row.name == name; });
    if (found == grouped.rows.end()) {
      grouped.rows.push_back({name, each["suite"], nullptr, {}});
      found = grouped.rows.end() - 1;
    }
    found->medians[implementation] = &each;
    if (implementation == "sluice") {
      found->own = &each;
    } else if (std::find(grouped.peers.begin(), grouped.peers.end(), implementation) ==
               grouped.peers.end()) {
      grouped.peers.push_back(implementation);
    }
  }
  return grouped;
}

// The peer's time over Sluice's; 0 if either is missing.
double ratio(const CaseRow& row, const std::string& peer) {
  const auto found = row.medians.find(peer);
  if (found == row.medians.end() || row.own == nullptr) return 0.0;
  return found->second->at("real_time").get<double>() / row.own->at("real_time").get<double>();
}

// A number of the entry, or a dash.
std::string field(const ordered_json& entry, const char* key, const char* format,
                  double factor = 1.0) {
  return entry.contains(key) ? number(format, entry[key].get<double>() * factor) : "-";
}

std::string case_line(const CaseRow& row, const std::vector<std::string>& peers,
                      std::size_t width) {
  const ordered_json& own = row.own == nullptr ? *row.medians.begin()->second : *row.own;
  const double a_step = 1.0 / own.value("T", 1.0);
  std::string line = left(row.name, width);
  line += right(field(own, "real_time", "%.2f", a_step), 12);
  line += right(field(own, "us_without_input_product", "%.2f", a_step), 11);
  line += right(field(own, "real_time", "%.1f"), 12);
  line += right(field(own, "p10", "%.1f"), 12);
  line += right(field(own, "p90", "%.1f"), 12);
  line += right(field(own, "tflops", "%.4f"), 9);
  line += right(field(own, "percent_of_limit", "%.1f"), 8);
  for (const std::string& peer : peers) {
    const double value = ratio(row, peer);
    line += right(value == 0.0 ? "-" : number("%.2f", value),
                  std::max<std::size_t>(peer.size() + 2, 8));
  }
  return line + (own.contains("note") ? "  " + own["note"].get<std::string>() : "") + "\n";
}

std::string summary_lines(const Grouped& grouped) {
  std::string text;
  std::vector<std::string> suites;
  for (const CaseRow& row : grouped.rows) {
    if (std::find(suites.begin(), suites.end(), row.suite) == suites.end())
      suites.push_back(row.suite);
  }
  for (const std::string& suite : suites) {
    for (const std::string& peer : grouped.peers) {
      std::vector<double> ratios;
      const CaseRow* worst = nullptr;
      for (const CaseRow& row : grouped.rows) {
        if (row.suite != suite || ratio(row, peer) == 0.0) continue;
        ratios.push_back(ratio(row, peer));
        if (worst == nullptr || ratio(row, peer) < ratio(*worst, peer)) worst = &row;
      }
      if (ratios.empty()) continue;
      text += suite + ", " + peer + " / sluice: geometric mean " +
              number("%.3f", geometric_mean(ratios)) + " over " + std::to_string(ratios.size()) +
              " cases, worst " + number("%.3f", ratio(*worst, peer)) + " (" + worst->name + ")\n";
    }
  }
  return text;
}

std::string refusal_lines(const Grouped& grouped) {
  std::string text;
  for (const auto& [message, cases] : grouped.refusals) {
    text += "not measured: " + message + " (" + std::to_string(cases.size()) +
            (cases.size() == 1 ? " case: " : " cases, first ") + cases.front() + ")\n";
  }
  return text;
}

}  // namespace

std::string table(const Report& report) {
  const std::vector<ordered_json> summaries = report.summaries();
  const Grouped grouped = group(summaries);
  std::size_t width = 4;
  for (const CaseRow& row : grouped.rows) width = std::max(width, row.name.size());
  std::string text = left("case", width) + right("us/step", 12) + right("no input", 11) +
                     right("median us", 12) + right("p10", 12) + right("p90", 12) +
                     right("TFLOP/s", 9) + right("% limit", 8);
  for (const std::string& peer : grouped.peers)
    text += right(peer, std::max<std::size_t>(peer.size() + 2, 8));
  text += "\n";
  for (const CaseRow& row : grouped.rows) text += case_line(row, grouped.peers, width);
  text +=
      "us/step: for suites without time steps, us a call; no input: without the input product, "
      "which is timed\n"
      "alone and taken off. Columns of peers: their time over Sluice's; above 1 Sluice is "
      "faster.\n";
  return text + "\n" + summary_lines(grouped) + verdicts(summaries) + refusal_lines(grouped);
}

}  // namespace sluice::bench
