// What each feature of the layer costs beside the plain layer, for each multiplication: a pass with
// the feature and a plain pass in turn, each time divided by its products' work.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/suites/suites.h"

namespace sluice::bench {
namespace {

constexpr double kAim = 1.1;

struct Feature {
  const char* name;
  LayerProblem plain, with;
};

// Lengths from T/4 to T, in no order.
std::vector<std::int32_t> ragged(std::int32_t steps, std::int32_t batch) {
  std::vector<std::int32_t> lengths;
  for (std::int32_t i = 0; i < batch; ++i) {
    lengths.push_back(steps / 4 + 1 +
                      (i * 37 + 11) % batch * (steps - steps / 4 - 1) / std::max(1, batch - 1));
  }
  return lengths;
}

LayerProblem plain_problem(const Options& options, bool training) {
  LayerProblem problem;
  problem.config = {.cell = Cell::lstm,
                    .data_type = options.data_type,
                    .math = options.math,
                    .input_size = options.small ? 128 : 512,
                    .hidden_size = options.small ? 128 : 512};
  problem.steps = options.small ? 100 : 256;
  problem.batch = 64;
  problem.training = training;
  return problem;
}

std::vector<Feature> features(const Options& options) {
  const LayerProblem plain = plain_problem(options, true);
  std::vector<Feature> all;
  const auto add = [&all](const char* name, const LayerProblem& base, auto change) {
    LayerProblem with = base;
    change(with);
    all.push_back({name, base, with});
  };
  add("recurrent_dropout", plain, [](LayerProblem& p) { p.config.recurrent_dropout = 0.2; });
  add("input_dropout", plain, [](LayerProblem& p) { p.config.input_dropout = 0.2; });
  add("ragged", plain, [](LayerProblem& p) { p.lengths = ragged(p.steps, p.batch); });
  add("ragged_inference", plain_problem(options, false),
      [](LayerProblem& p) { p.lengths = ragged(p.steps, p.batch); });
  add("bidirectional", plain, [](LayerProblem& p) { p.config.bidirectional = true; });
  LayerProblem two_layers = plain;
  two_layers.config.num_layers = 2;
  add("two_layers", plain, [](LayerProblem& p) { p.config.num_layers = 2; });
  add("layer_dropout", two_layers, [](LayerProblem& p) { p.config.layer_dropout = 0.2; });
  LayerProblem gru = plain;
  gru.config.cell = Cell::gru;
  add("gru_reset_before", gru, [](LayerProblem& p) { p.config.cell = Cell::gru_reset_before; });
  if (plain.config.data_type == DataType::float32) {
    add("bfloat16", plain, [](LayerProblem& p) { p.config.data_type = DataType::bfloat16; });
  }
  return all;
}

void annotate(std::vector<Entry>& entries, const std::vector<double>& medians) {
  if (entries.size() < 2 || std::isnan(medians[0]) || std::isnan(medians[1])) return;
  const double work =
      entries[1].fields["flops"].get<double>() / entries[0].fields["flops"].get<double>();
  const double cost = medians[1] / medians[0] / work;
  char note[64];
  std::snprintf(note, sizeof note, "%.2fx the plain layer's cost%s", cost,
                cost > kAim ? ", above the aim" : "");
  entries[1].fields["cost"] = cost;
  entries[1].fields["cost_aim"] = kAim;
  entries[1].fields["note"] = note;
}

}  // namespace

std::vector<Case> feature_cases(const Options& options) {
  std::vector<Case> cases;
  for (const Feature& feature : features(options)) {
    cases.push_back({"features", feature.name, [feature](Session& session) {
                       session.measure_together("features", feature.name,
                                                {feature.plain, feature.with}, annotate);
                     }});
  }
  return cases;
}

}  // namespace sluice::bench
