#include "engine/pass_memory.h"

#include "engine/persistent_layer.h"
#include "kernels/bias.h"
#include "kernels/embedding.h"
#include "kernels/recurrence.h"

namespace sluice {

PassReserve::PassReserve(Carver& carver, const RecurrentConfig& config, Algorithm algorithm,
                         std::int64_t rows, std::int64_t chunk_rows, bool training) {
  const std::size_t element = size_of(config.data_type);
  const std::size_t row_of_h = static_cast<std::size_t>(rows * config.hidden_size) * element;
  const int each_layer = config.directions();
  const auto take_direction = [&] {
    DirectionReserve part;
    part.gates = carver.take(static_cast<std::size_t>((training ? rows : chunk_rows) *
                                                      slot_count(config.cell) * config.hidden_size) *
                             element);
    if (has_cell_state(config.cell) && training) part.c = carver.take(row_of_h);
    return part;
  };
  if (!training) {
    directions.assign(config.num_layers * each_layer, take_direction());
    if (is_persistent(algorithm) && each_layer == 2) {
      const DirectionReserve second = take_direction();
      for (int layer = 0; layer < config.num_layers; ++layer) directions[layer * 2 + 1] = second;
    }
  }
  void* turns[2] = {nullptr, nullptr};
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const bool last = layer + 1 == config.num_layers;
    const double dropout = layer == 0 ? config.input_dropout : config.layer_dropout;
    const std::int64_t input = layer == 0 ? config.input_size : config.output_size();
    dropped_input.push_back(
        training && dropout > 0.0 ? carver.take(static_cast<std::size_t>(rows * input) * element) : nullptr);
    if (training) {
      for (int d = 0; d < each_layer; ++d) directions.push_back(take_direction());
      output.push_back(last ? nullptr : carver.take(row_of_h * each_layer));
    } else {
      if (layer < 2 && !last) turns[layer] = carver.take(row_of_h * each_layer);
      output.push_back(last ? nullptr : turns[layer % 2]);
    }
  }
}

PassWorkspace::PassWorkspace(Carver& carver, const RecurrentConfig& config, DeviceKind device,
                             Algorithm algorithm, const PassShape& pass, std::int64_t chunk_rows, bool backward) {
  const std::size_t element = size_of(config.data_type), wide = size_of(state_type(config.data_type));
  const std::int64_t hidden = config.hidden_size, plane = pass.batch * hidden;
  const int slots = slot_count(config.cell), gates = gate_count(config.cell);
  const std::size_t state = static_cast<std::size_t>(plane) * wide;
  const bool cell_state = has_cell_state(config.cell);
  const bool masks = config.recurrent_dropout > 0.0;
  carver.align();
  if (algorithm == Algorithm::row_blocks) {
    const RecurrenceShape shape{config.cell, config.data_type, hidden, config.math};
    packed = carver.take(recurrence_weight_bytes(shape));
    scratch = carver.take(recurrence_scratch_bytes(shape, pass.batch));
  }
  const bool second = is_persistent(algorithm) && config.bidirectional;
  if (is_persistent(algorithm)) {
    const PersistentRequest request = persistent_request(
        config, algorithm, backward ? RecurrentPass::backward : RecurrentPass::forward, pass.batch, masks);
    packed = carver.take(persistent_weight_bytes(request.shape, request.pass));
    scratch = carver.take(persistent_exchange_bytes(request));
    if (second) {
      second_.packed = carver.take(persistent_weight_bytes(request.shape, request.pass));
      second_.scratch = carver.take(persistent_exchange_bytes(request));
    }
  }
  bias = carver.take(slots * hidden * wide);
  h_state = carver.take(state);
  if (cell_state) c_state = carver.take(state);
  if (second) {
    second_.bias = carver.take(slots * hidden * wide);
    second_.h_state = carver.take(state);
    if (cell_state) second_.c_state = carver.take(state);
  }
  if (masks) mask = carver.take(static_cast<std::size_t>(gates * plane) * element);
  if (algorithm == Algorithm::stepwise && !backward && (masks || element != wide)) {
    h_operand = carver.take(static_cast<std::size_t>((masks ? gates : 1) * plane) * element);
  }
  const auto shared_numbers = static_cast<std::size_t>(pass.shared_rows * gates * hidden);
  const bool multiplies = pass.shared_rows > 0 && !config.gate_input;
  if (multiplies) shared_gates = carver.take(shared_numbers * element);
  if (!backward) return;

  if (masks && algorithm == Algorithm::stepwise) d_masked = carver.take(gates * state);
  dh_state = carver.take(state);
  if (cell_state) dc_state = carver.take(state);
  if (second) {
    second_.dh_state = carver.take(state);
    if (cell_state) second_.dc_state = carver.take(state);
  }
  if (config.cell == Cell::gru_reset_before) dq = carver.take(state);
  previous = carver.take(static_cast<std::size_t>(chunk_rows * hidden) * element);
  const std::size_t output = static_cast<std::size_t>(pass.rows * config.output_size()) * element;
  for (int i = 0; i < 2 && i < config.num_layers - 1; ++i) d_output[i] = carver.take(output);
  d_bias = carver.take(slots * hidden * wide);
  column_sum_bytes = column_sum_workspace_bytes(config.data_type, pass.rows, slots * hidden);
  column_sum = carver.take(column_sum_bytes);
  if (pass.shared_rows > 0) {
    shared_sum_bytes = embedding_backward_workspace_bytes({.device = device}, config.data_type,
                                                          pass.rows, gates * hidden);
    shared_sum = carver.take(shared_sum_bytes);
    if (multiplies && element != wide) wide_shared_gates = carver.take(shared_numbers * wide);
  }
}

PassWorkspace PassWorkspace::of_direction(int direction) const {
  PassWorkspace own = *this;
  if (direction == 0) return own;
  own.packed = second_.packed;
  own.scratch = second_.scratch;
  own.bias = second_.bias;
  own.h_state = second_.h_state;
  own.c_state = second_.c_state;
  own.dh_state = second_.dh_state;
  own.dc_state = second_.dc_state;
  return own;
}

}  // namespace sluice
