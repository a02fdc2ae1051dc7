#include "engine/pass/pass_memory.h"

#include "kernels/arrays/bias.h"
#include "kernels/sequences/embedding.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {
namespace {

struct WorkspaceRequest {
  const RecurrentConfig& config;
  const PassSchedule& schedule;
  const PassShape& pass;
  bool backward;

  std::size_t element() const { return size_of(config.data_type); }
  std::size_t wide() const { return size_of(state_type(config.data_type)); }
  std::int64_t plane() const { return pass.batch * config.hidden_size; }  // a state
  bool masks() const { return config.recurrent_dropout > 0.0; }
};

// What the time loop uses.
void take_loop(Carver& carver, const WorkspaceRequest& of, DirectionWorkspace& part) {
  const RecurrentConfig& config = of.config;
  const Algorithm algorithm = of.schedule.algorithm;
  const std::size_t state = static_cast<std::size_t>(of.plane()) * of.wide();
  const bool cell_state = has_cell_state(config.cell);
  if (algorithm == Algorithm::row_blocks) {
    const RecurrenceShape shape{config.cell, config.data_type, config.hidden_size, config.math};
    part.packed = carver.take(recurrence_weight_bytes(shape));
    part.scratch = carver.take(recurrence_scratch_bytes(shape, of.pass.batch));
  }
  if (is_persistent(algorithm)) {
    const PersistentRequest request = persistent_request(
        config, algorithm, of.backward ? RecurrentPass::backward : RecurrentPass::forward,
        of.pass.batch, of.masks());
    part.packed = carver.take(persistent_weight_bytes(request));
    part.scratch = carver.take(persistent_exchange_bytes(request));
  }
  part.bias = carver.take(slot_count(config.cell) * config.hidden_size * of.wide());
  part.h_state = carver.take(state);
  if (cell_state) part.c_state = carver.take(state);
  if (!of.backward) return;
  part.dh_state = carver.take(state);
  if (cell_state) part.dc_state = carver.take(state);
}

// What is used before and after it.
void take_rest(Carver& carver, const WorkspaceRequest& of, DirectionWorkspace& part) {
  const RecurrentConfig& config = of.config;
  const bool stepwise = of.schedule.algorithm == Algorithm::stepwise;
  const std::int64_t hidden = config.hidden_size;
  const int slots = slot_count(config.cell), gates = gate_count(config.cell);
  const std::size_t state = static_cast<std::size_t>(of.plane()) * of.wide();
  const bool masks = of.masks();
  if (masks) part.mask = carver.take(static_cast<std::size_t>(gates * of.plane()) * of.element());
  if (stepwise && !of.backward && (masks || of.element() != of.wide())) {
    part.h_operand =
        carver.take(static_cast<std::size_t>((masks ? gates : 1) * of.plane()) * of.element());
  }
  if (!of.backward) return;
  if (masks && stepwise) part.d_masked = carver.take(gates * state);
  if (config.cell == Cell::gru_reset_before) part.dq = carver.take(state);
  part.previous = carver.take(static_cast<std::size_t>(of.schedule.rule.largest(of.pass) * hidden) *
                              of.element());
  part.d_bias = carver.take(slots * hidden * of.wide());
  part.column_sum_bytes =
      column_sum_workspace_bytes(config.data_type, of.pass.rows, slots * hidden);
  part.column_sum = carver.take(part.column_sum_bytes);
}

// What the first layer uses for a shared input.
void take_shared(Carver& carver, const WorkspaceRequest& of, DeviceKind device,
                 DirectionWorkspace& part) {
  if (of.pass.shared_rows == 0) return;
  const RecurrentConfig& config = of.config;
  const std::int64_t gates = gate_count(config.cell) * config.hidden_size;
  const auto numbers = static_cast<std::size_t>(of.pass.shared_rows * gates);
  if (!config.gate_input) part.shared_gates = carver.take(numbers * of.element());
  if (!of.backward) return;
  part.shared_sum_bytes =
      embedding_backward_workspace_bytes({.device = device}, config.data_type, of.pass.rows, gates);
  part.shared_sum = carver.take(part.shared_sum_bytes);
  if (!config.gate_input && of.element() != of.wide()) {
    part.wide_shared_gates = carver.take(numbers * of.wide());
  }
}

}  // namespace

PassReserve::PassReserve(Carver& carver, const RecurrentConfig& config,
                         const PassSchedule& schedule, const PassShape& shape, bool training)
    : training_(training) {
  const std::size_t element = size_of(config.data_type);
  const std::size_t row_of_h = static_cast<std::size_t>(shape.rows * config.hidden_size) * element;
  const int each_layer = config.directions();
  const std::int64_t gate_rows = training ? shape.rows : schedule.rule.largest(shape);
  const auto take_direction = [&] {
    DirectionReserve part;
    part.gates = carver.take(
        static_cast<std::size_t>(gate_rows * slot_count(config.cell) * config.hidden_size) *
        element);
    if (has_cell_state(config.cell) && training) part.c = carver.take(row_of_h);
    directions_.push_back(part);
  };
  for (int part = 0; !training && part < schedule.parts(config); ++part) take_direction();
  void* turns[2] = {nullptr, nullptr};
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const bool last = layer + 1 == config.num_layers;
    const double dropout = layer == 0 ? config.input_dropout : config.layer_dropout;
    const std::int64_t input = layer == 0 ? config.input_size : config.output_size();
    dropped_input.push_back(
        training && dropout > 0.0
            ? carver.take(static_cast<std::size_t>(shape.rows * input) * element)
            : nullptr);
    if (training) {
      for (int d = 0; d < each_layer; ++d) take_direction();
      output.push_back(last ? nullptr : carver.take(row_of_h * each_layer));
    } else {
      if (layer < 2 && !last) turns[layer] = carver.take(row_of_h * each_layer);
      output.push_back(last ? nullptr : turns[layer % 2]);
    }
  }
}

PassWorkspace::PassWorkspace(Carver& carver, const RecurrentConfig& config, DeviceKind device,
                             const PassSchedule& schedule, const PassShape& shape, bool backward) {
  const WorkspaceRequest request{config, schedule, shape, backward};
  carver.align();
  DirectionWorkspace part;
  take_shared(carver, request, device, part);
  take_rest(carver, request, part);
  for (int i = 0; i < schedule.parts(config); ++i) {
    if (i > 0 && schedule.lanes > 1) take_rest(carver, request, part);
    if (i > 0 && config.bidirectional) take_shared(carver, request, device, part);
    take_loop(carver, request, part);
    parts.push_back(part);
  }
  if (!backward) return;
  const std::size_t output =
      static_cast<std::size_t>(shape.rows * config.output_size()) * size_of(config.data_type);
  for (int i = 0; i < 2 && i < config.num_layers - 1; ++i) d_output[i] = carver.take(output);
}

}  // namespace sluice
