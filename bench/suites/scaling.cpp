// How the time grows with T, B, H, L and the vocabulary: all points of an axis in turn, so that
// their ratios belong to one moment of the machine.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "bench/suites/suites.h"

namespace sluice::bench {
namespace {

struct Axis {
  const char* name;
  bool linear;         // is the cost to be proportional?
  double linear_from;  // from this value on
  std::vector<std::int64_t> values;
  std::function<void(LayerProblem&, std::int64_t)> set;
};

std::vector<Axis> axes(bool small) {
  const std::int64_t unit = small ? 1 : 4;
  std::vector<Axis> all;
  all.push_back({"T", true, 50, {25, 50, 100, 200, 400}, [](LayerProblem& p, std::int64_t v) {
                   p.steps = static_cast<std::int32_t>(v);
                 }});
  all.push_back({"B", true, 16, {1, 4, 16, 32, 64, 128}, [](LayerProblem& p, std::int64_t v) {
                   p.batch = static_cast<std::int32_t>(v);
                 }});
  all.push_back({"H",
                 false,
                 0,
                 {32 * unit, 64 * unit, 128 * unit, 256 * unit},
                 [](LayerProblem& p, std::int64_t v) { p.config.hidden_size = v; }});
  all.push_back({"L", false, 0, {1, 2, 3, 4}, [](LayerProblem& p, std::int64_t v) {
                   p.config.num_layers = static_cast<int>(v);
                 }});
  return all;
}

LayerProblem base_problem(const Options& options, Cell cell) {
  LayerProblem problem;
  const std::int64_t size = options.small ? 128 : 512;
  problem.config = {.cell = cell,
                    .data_type = options.data_type,
                    .math = options.math,
                    .input_size = size,
                    .hidden_size = size};
  problem.steps = 100;
  problem.batch = 32;
  problem.training = true;
  return problem;
}

// Cost of one unit (a step, a row) beside that of the largest point; a point that failed has none.
void annotate(const Axis& axis, std::vector<Entry>& entries, const std::vector<double>& medians) {
  double worst = 0;
  const auto value = [&](std::size_t i) { return entries[i].fields[axis.name].get<double>(); };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const double unit = medians[i] / value(i);
    const double relative = unit / (medians.back() / value(entries.size() - 1));
    entries[i].fields["axis"] = axis.name;
    entries[i].fields["value"] = value(i);
    if (std::isnan(relative)) continue;
    entries[i].fields["cost_of_unit"] = relative;
    char note[96];
    std::snprintf(note, sizeof note, "cost of one of %s: %.2fx the last's", axis.name, relative);
    entries[i].fields["note"] = note;
    if (value(i) >= axis.linear_from) worst = std::max(worst, std::abs(relative - 1.0));
  }
  if (axis.linear)
    entries.back().fields.update({{"nonlinearity", worst}, {"linear_from", axis.linear_from}});
}

}  // namespace

std::vector<Case> scaling_cases(const Options& options) {
  std::vector<Case> cases;
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const Axis& axis : axes(options.small)) {
      std::vector<LayerProblem> problems;
      for (const std::int64_t value : axis.values) {
        problems.push_back(base_problem(options, cell));
        axis.set(problems.back(), value);
      }
      const auto note = [axis](std::vector<Entry>& entries, const std::vector<double>& medians) {
        annotate(axis, entries, medians);
      };
      const std::string group = axis.name;
      cases.push_back({"scaling", group + "/" + name_of(cell), [=](Session& session) {
                         session.measure_together("scaling", group, problems, note);
                       }});
    }
  }
  cases.push_back({"scaling", "V/lstm", measure_vocabularies});
  return cases;
}

}  // namespace sluice::bench
