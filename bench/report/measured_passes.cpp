#include "bench/report/measured_passes.h"

namespace sluice::bench {

const nlohmann::ordered_json* MeasuredPasses::find(const LayerProblem& problem,
                                                   const char* pass) const {
  const RecurrentConfig& c = problem.config;
  const nlohmann::ordered_json wanted = {{"implementation", "sluice"}, {"pass", pass},
                                         {"cell", name_of(c.cell)},    {"dtype", number_name(c)},
                                         {"T", problem.steps},         {"B", problem.batch},
                                         {"I", c.input_size},          {"H", c.hidden_size},
                                         {"L", c.num_layers},          {"D", c.directions()}};
  for (const nlohmann::ordered_json& each : summaries_) {
    if (each.value("error_occurred", false) || each.contains("lengths")) continue;
    bool same = true;
    for (const auto& [key, value] : wanted.items()) {
      same = same && each.contains(key) && each[key] == value;
    }
    if (same) return &each;
  }
  return nullptr;
}

std::optional<MeasuredPass> MeasuredPasses::find(const LayerProblem& problem) const {
  const nlohmann::ordered_json* const forward = find(problem, "inference");
  const nlohmann::ordered_json* const both = find(problem, "training");
  if (forward == nullptr || both == nullptr) return std::nullopt;
  const double one = (*forward)["real_time"], two = (*both)["real_time"];
  return MeasuredPass{one * 1e-6, (two - one) * 1e-6, both->value("algorithm", "")};
}

}  // namespace sluice::bench
