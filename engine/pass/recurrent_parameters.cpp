#include <numeric>
#include <string>

#include "engine/recurrent.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

void require_positive(const char* field, std::int64_t value) {
  require(value >= 1, std::string("RecurrentConfig.") + field + ": expected at least 1, got " +
                          std::to_string(value));
}

void require_rate(const char* field, double rate) {
  require(rate >= 0.0 && rate < 1.0, std::string("RecurrentConfig.") + field +
                                         ": expected a rate in [0, 1), got " +
                                         std::to_string(rate));
}

void check(const RecurrentConfig& config) {
  if (!config.gate_input) require_positive("input_size", config.input_size);
  require_positive("hidden_size", config.hidden_size);
  require_positive("num_layers", config.num_layers);
  require(config.num_layers <= 1000, "RecurrentConfig.num_layers: expected at most 1000, got " +
                                         std::to_string(config.num_layers));
  require_rate("input_dropout", config.input_dropout);
  require(!config.gate_input || config.input_dropout == 0.0,
          "RecurrentConfig.input_dropout: expected 0 with gate_input, where there are no inputs to "
          "drop, got " +
              std::to_string(config.input_dropout));
  require_rate("layer_dropout", config.layer_dropout);
  require_rate("recurrent_dropout", config.recurrent_dropout);
}

}  // namespace

std::int64_t ParameterView::size() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<ParameterView> recurrent_parameters(const RecurrentConfig& config) {
  check(config);
  std::vector<ParameterView> views;
  std::int64_t offset = 0;
  const std::int64_t gates = gate_count(config.cell) * config.hidden_size;
  const auto add = [&](const char* kind, const std::string& suffix,
                       std::vector<std::int64_t> shape) {
    views.push_back({kind + suffix, std::move(shape), offset});
    offset += views.back().size();
  };
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const std::int64_t input = layer == 0 ? config.input_size : config.output_size();
    for (int direction = 0; direction < config.directions(); ++direction) {
      const std::string suffix = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      if (layer > 0 || !config.gate_input) add("weight_ih", suffix, {gates, input});
      add("weight_hh", suffix, {gates, config.hidden_size});
      add("bias_ih", suffix, {gates});
      add("bias_hh", suffix, {gates});
    }
  }
  return views;
}

std::int64_t parameter_count(const std::vector<ParameterView>& views) {
  return views.empty() ? 0 : views.back().offset + views.back().size();
}

}  // namespace sluice
