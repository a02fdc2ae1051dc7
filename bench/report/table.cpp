#include "bench/report/table.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include "bench/measure/statistics.h"

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

std::string case_line(const CaseRow& row, const std::vector<std::string>& peers,
                      std::size_t width) {
  const ordered_json& own = row.own == nullptr ? *row.medians.begin()->second : *row.own;
  const double microseconds = own["real_time"];
  std::string line = left(row.name, width);
  line += right(number("%.2f", microseconds / own.value("T", 1.0)), 12);
  line += right(number("%.1f", microseconds), 13);
  line +=
      right(own.contains("flops") ? number("%.4f", own["flops"].get<double>() / microseconds * 1e-6)
                                  : "-",
            10);
  line +=
      right(own.contains("percent_of_limit") ? number("%.1f", own["percent_of_limit"].get<double>())
                                             : "-",
            8);
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
  std::string text = left("case", width) + right("us/step", 12) + right("us", 13) +
                     right("TFLOP/s", 10) + right("% limit", 8);
  for (const std::string& peer : grouped.peers)
    text += right(peer, std::max<std::size_t>(peer.size() + 2, 8));
  text += "\n";
  for (const CaseRow& row : grouped.rows) text += case_line(row, grouped.peers, width);
  if (!grouped.peers.empty())
    text += "Columns of peers: their time over Sluice's; above 1 Sluice is faster.\n";
  return text + "\n" + summary_lines(grouped) + refusal_lines(grouped);
}

}  // namespace sluice::bench
