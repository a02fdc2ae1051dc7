// The figures that the suite `figures` is to reach, one by one: measured, and whether reached.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::bench {

/// What an entry says of the figure that its time counts for; fields of its median.
struct Figure {
  std::string name;  ///< "figure"
  std::vector<std::string>
      opponents;              ///< "opponents": the fastest of them counts; "limit": limit_us,
                              ///< and then of persistent_block and _cluster alone
  double at_least = 0;        ///< opponent's time over the entry's; 0: stated alone. Of the
  double aim = 0;             ///< limit: the entry's time over it, at most
  bool within_noise = false;  ///< the ranges from p10 to p90 are allowed for

  nlohmann::ordered_json fields() const;
};

/// One object a figure, in the order of first appearance: figure, at_least, aim, shapes, measured,
/// and where any was measured geometric_mean, worst, worst_case; verdict: "aim reached" and
/// "reached" (by the worst shape), "reached on average", "not reached", "stated", each with " so
/// far" where shapes are missing, or "not measured". `summaries`: as Report gives them.
nlohmann::ordered_json figure_rows(const std::vector<nlohmann::ordered_json>& summaries);

/// A line a row.
std::string figure_lines(const nlohmann::ordered_json& rows);

}  // namespace sluice::bench
