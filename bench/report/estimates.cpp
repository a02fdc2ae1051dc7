#include "bench/report/estimates.h"

#include <cstdio>

#include "bench/layers/reference_shapes.h"

namespace sluice::bench {
namespace {

using nlohmann::ordered_json;

struct Arithmetic {
  const char* name;
  DataType type;
  MatrixMath math;
};
constexpr Arithmetic arithmetics[] = {{"bfloat16", DataType::bfloat16, MatrixMath::ieee},
                                      {"float16", DataType::float16, MatrixMath::ieee},
                                      {"TF32", DataType::float32, MatrixMath::tf32},
                                      {"float32", DataType::float32, MatrixMath::ieee}};

template <class... Numbers>
std::string text_of(const char* format, Numbers... numbers) {
  char text[160];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

std::string pair(double forward, double backward) {
  return text_of("%.3f / %.3f", forward * 1e3, backward * 1e3);
}
std::string pair(const PassTime& time) { return pair(time.forward, time.backward); }

std::string range(const LikelyRange& of) {
  if (of.most == 0) return "?";
  return of.least == of.most ? text_of("%g", of.most) : text_of("%g-%g", of.least, of.most);
}

ordered_json milliseconds(const PassTime& time) {
  return {time.forward * 1e3, time.backward * 1e3};
}

ordered_json object_of(const LikelyRange& of) {
  return of.most == 0 ? ordered_json() : ordered_json{of.least, of.most};
}

Estimate estimate_of(const ReferenceShape& shape, const Arithmetic& arithmetic,
                     const GpuDescription& gpu, const MeasuredPasses* passes) {
  Estimate estimate;
  estimate.arithmetic = arithmetic.name;
  LayerProblem& problem = estimate.problem;
  problem.config.cell = shape.cell;
  problem.config.input_size = shape.input;
  problem.config.hidden_size = shape.hidden;
  problem.config.data_type = arithmetic.type;
  problem.config.math = arithmetic.math;
  problem.steps = shape.steps;
  problem.batch = shape.batch;
  problem.training = true;
  const PassShape pass = problem.shape();
  estimate.best = algorithm_candidates(problem.config, pass, gpu).front();
  estimate.limit = limit(problem.config, pass, gpu.rates);
  estimate.stepwise = stepwise_cost(problem.config, pass, gpu.rates).predicted;
  estimate.cudnn = cudnn_cost(problem.config, pass, gpu.rates).predicted;
  estimate.likely = likely_time(problem);
  if (passes != nullptr) estimate.measured = passes->find(problem);
  return estimate;
}

}  // namespace

std::string Estimate::shape() const {
  const RecurrentConfig& c = problem.config;
  return text_of("%s H %lld, I %lld, B %d, T %d", sluice::name_of(c.cell),
                 static_cast<long long>(c.hidden_size), static_cast<long long>(c.input_size),
                 problem.batch, problem.steps);
}

std::vector<Estimate> estimates(const GpuDescription& gpu, const MeasuredPasses* passes) {
  std::vector<Estimate> all;
  for (const ReferenceShape& shape : reference_shapes) {
    for (const Arithmetic& arithmetic : arithmetics) {
      all.push_back(estimate_of(shape, arithmetic, gpu, passes));
    }
  }
  return all;
}

std::string estimate_heading() {
  return "| shape | arithmetic | chosen algorithm | predicted | likely | limit | stepwise | cuDNN "
         "| measured |\n"
         "|---|---|---|---|---|---|---|---|---|\n";
}

std::string estimate_row(const Estimate& e) {
  const std::string algorithm = sluice::name_of(e.best.algorithm);
  std::string likely = "-", measured = "-";
  if (e.likely) likely = range(e.likely->forward) + " / " + range(e.likely->backward);
  if (e.measured) {
    measured = pair(e.measured->forward, e.measured->backward);
    if (e.measured->algorithm != algorithm) measured += " (`" + e.measured->algorithm + "`)";
  }
  std::string row = "|";
  for (const std::string& cell :
       {e.shape(), e.arithmetic, "`" + algorithm + "`: " + e.best.cut, pair(e.best.cost.predicted),
        likely, pair(e.limit), pair(e.stepwise), pair(e.cudnn), measured}) {
    row += " " + cell + " |";
  }
  return row + "\n";
}

ordered_json estimate_object(const Estimate& e, const GpuRates& rates) {
  const RecurrentConfig& c = e.problem.config;
  ordered_json object = {{"gpu", rates.name},
                         {"shape", e.shape()},
                         {"cell", sluice::name_of(c.cell)},
                         {"T", e.problem.steps},
                         {"B", e.problem.batch},
                         {"I", c.input_size},
                         {"H", c.hidden_size},
                         {"arithmetic", e.arithmetic},
                         {"dtype", number_name(c)},
                         {"algorithm", sluice::name_of(e.best.algorithm)},
                         {"cut", e.best.cut},
                         {"unit", "ms, forward and backward"},
                         {"predicted", milliseconds(e.best.cost.predicted)},
                         {"limit", milliseconds(e.limit)},
                         {"stepwise", milliseconds(e.stepwise)},
                         {"cudnn", milliseconds(e.cudnn)},
                         {"likely", nullptr},
                         {"measured", nullptr}};
  if (e.likely) {
    object["likely"] =
        ordered_json::array({object_of(e.likely->forward), object_of(e.likely->backward)});
    object["likely_source"] = kLikelySource;
  }
  if (e.measured) {
    object["measured"] = {e.measured->forward * 1e3, e.measured->backward * 1e3};
    object["measured_algorithm"] = e.measured->algorithm;
  }
  return object;
}

}  // namespace sluice::bench
