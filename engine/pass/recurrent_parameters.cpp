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
  const UnitOptions options = config.unit_options();
  for (const UnitOption& option : unit_option_list) {
    const double rate = options.*option.rate;
    require_rate(option.name, rate);
    require(rate == 0.0 || spec_of(config.cell).states >= option.states,
            std::string("RecurrentConfig.") + option.name +
                ": expected 0 for a cell without cell state, which " + name_of(config.cell) +
                " is, got " + std::to_string(rate));
  }
}

}  // namespace

std::int64_t ParameterView::size() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<ParameterView> recurrent_parameters(const RecurrentConfig& config) {
  check(config);
  const CellSpec& cell = spec_of(config.cell);
  const std::int64_t hidden = config.hidden_size, gates = cell.gates * hidden;
  std::vector<ParameterView> views;
  std::int64_t offset = 0;
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const std::int64_t input = layer == 0 ? config.input_size : config.output_size();
    for (int direction = 0; direction < config.directions(); ++direction) {
      const auto add = [&](const char* name, ParameterKind kind, std::vector<std::int64_t> shape,
                           std::int64_t fan_in, std::int64_t fan_out) {
        const int blocks = kind == ParameterKind::unit_weight ? cell.unit_weights : cell.gates;
        views.push_back({name + ("_l" + std::to_string(layer)) + (direction == 1 ? "_reverse" : ""),
                         std::move(shape),
                         offset,
                         {kind, blocks, hidden, fan_in, fan_out, layer, direction}});
        offset += views.back().size();
      };
      if (layer > 0 || !config.gate_input) {
        add("weight_ih", ParameterKind::input_matrix, {gates, input}, input, gates);
      }
      const std::int64_t recurs = cell.recurrent_matrix ? hidden : 1;
      if (cell.recurrent_matrix) {
        add("weight_hh", ParameterKind::recurrent_matrix, {gates, hidden}, hidden, gates);
      }
      add("bias_ih", ParameterKind::input_bias, {gates}, input, gates);
      add("bias_hh", ParameterKind::recurrent_bias, {gates}, recurs,
          cell.recurrent_matrix ? gates : 1);
      if (cell.unit_weights > 0) {
        add(cell.unit_weight_name, ParameterKind::unit_weight, {cell.unit_weights * hidden}, 1, 1);
      }
    }
  }
  return views;
}

const ParameterView* find_parameter(const std::vector<ParameterView>& views, ParameterKind kind,
                                    int layer, int direction) {
  for (const ParameterView& view : views) {
    const ParameterRole& role = view.role;
    if (role.kind == kind && role.layer == layer && role.direction == direction) return &view;
  }
  return nullptr;
}

std::int64_t parameter_count(const std::vector<ParameterView>& views) {
  return views.empty() ? 0 : views.back().offset + views.back().size();
}

}  // namespace sluice
