#include "engine/pass/direction.h"

#include <string>

#include "engine/loops/element.h"
#include "kernels/arrays/convert.h"
#include "kernels/arrays/rows.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/sequences/dropout.h"

namespace sluice {

Direction::Direction(const RecurrentConfig& config_, const std::vector<ParameterView>& views,
                     int layer_, int direction)
    : config(config_), layer(layer_), reverse(direction == 1) {
  const auto find = [&](ParameterKind kind, std::int64_t& offset) {
    const ParameterView* const view = find_parameter(views, kind, layer, direction);
    if (view != nullptr) offset = view->offset;
    return view;
  };
  const ParameterView* const input = find(ParameterKind::input_matrix, weight_ih);
  input_size = input == nullptr ? gates() : input->role.fan_in;
  find(ParameterKind::recurrent_matrix, weight_hh);
  find(ParameterKind::input_bias, bias_ih);
  find(ParameterKind::recurrent_bias, bias_hh);
  find(ParameterKind::unit_weight, unit_weights);
}

void check_shared_input(const RecurrentConfig& config, const SharedInput& shared, bool drops) {
  require((shared.index == nullptr) == (shared.rows == 0) && shared.rows >= 0,
          "shared_input: expected both an index and a positive number of rows, or neither; got " +
              std::string(shared.index == nullptr ? "no index" : "an index") + " and " +
              std::to_string(shared.rows) + " rows");
  require(!config.gate_input || shared.index != nullptr,
          "shared_input: expected an index, since the configuration has gate_input; got none");
  require(shared.index == nullptr || !drops || config.input_dropout == 0.0,
          "shared_input: rows that share an input cannot have input_dropout, which drops parts of "
          "each row's own; pass x without an index, or set input_dropout to 0");
}

void load_state(const Queue& queue, const Sequences& sequences, const RecurrentConfig& config,
                const void* states, int index, void* to) {
  const DataType type = config.data_type, wide = state_type(type);
  const std::int64_t columns = config.hidden_size, plane = sequences.batch * columns;
  if (states == nullptr) {
    return fill_zero(queue, to, static_cast<std::size_t>(plane) * size_of(wide));
  }
  const void* from = at(states, index * plane, type);
  if (sequences.sorted_as_given) {
    return convert(queue,
                   {.count = plane, .from_type = type, .from = from, .to_type = wide, .to = to});
  }
  gather_rows(queue, {.type = type,
                      .wide_to = true,
                      .rows = sequences.batch,
                      .columns = columns,
                      .source = from,
                      .ld_source = columns,
                      .index = sequences.order,
                      .to = to,
                      .ld_to = columns});
}

void store_state(const Queue& queue, const Sequences& sequences, const RecurrentConfig& config,
                 const void* from, void* states, int index) {
  if (states == nullptr) return;
  const DataType type = config.data_type, wide = state_type(type);
  const std::int64_t columns = config.hidden_size, plane = sequences.batch * columns;
  void* to = at(states, index * plane, type);
  if (sequences.sorted_as_given) {
    return convert(queue,
                   {.count = plane, .from_type = wide, .from = from, .to_type = type, .to = to});
  }
  scatter_rows(queue, {.type = type,
                       .wide_source = true,
                       .rows = sequences.batch,
                       .columns = columns,
                       .source = from,
                       .ld_source = columns,
                       .index = sequences.order,
                       .to = to,
                       .ld_to = columns});
}

const void* draw_recurrent_mask(const Queue& queue, const Sequences& sequences,
                                const Direction& direction, const UnitDraws& draws, void* mask) {
  if (!draws.mask.on()) return nullptr;
  const RecurrentConfig& config = direction.config;
  dropout_mask(queue, {.type = config.data_type,
                       .planes = gate_count(config.cell),
                       .rows = sequences.batch,
                       .columns = config.hidden_size,
                       .rate = draws.mask.rate,
                       .random = draws.mask.random,
                       .order = sequences.order,
                       .mask = mask});
  return mask;
}

}  // namespace sluice
