#include "engine/pass/pass_memory.h"

#include "engine/loops/input_dropout.h"
#include "kernels/arrays/bias.h"
#include "kernels/sequences/embedding.h"
#include "kernels/time_loops/unit_weight_gradients.h"

namespace sluice {
namespace {

struct WorkspaceRequest {
  const TimeLoop& loop;
  const LoopRequest& request = loop.request();
  const RecurrentConfig& config = request.config;
  const CellSpec& cell = spec_of(config.cell);
  const PassSchedule& schedule;
  const PassShape& pass;

  bool backward() const { return request.pass == RecurrentPass::backward; }
  std::size_t element() const { return size_of(config.data_type); }
  std::size_t wide() const { return size_of(state_type(config.data_type)); }
  std::int64_t plane() const { return pass.batch * config.hidden_size; }  // a state
  std::size_t state() const { return static_cast<std::size_t>(plane()) * wide(); }
};

// What the time loop uses.
void take_loop(Carver& carver, const WorkspaceRequest& of, DirectionWorkspace& part) {
  of.loop.take(carver, part.loop);
  part.bias = carver.take(of.cell.slots * of.config.hidden_size * of.wide());
  part.h_state = carver.take(of.state());
  if (of.cell.has_cell_state()) part.c_state = carver.take(of.state());
  if (!of.backward()) return;
  part.dh_state = carver.take(of.state());
  if (of.cell.has_cell_state()) part.dc_state = carver.take(of.state());
}

// What is used before and after it.
void take_rest(Carver& carver, const WorkspaceRequest& of, DirectionWorkspace& part) {
  const std::int64_t hidden = of.config.hidden_size;
  if (of.request.masks() && (of.backward() || of.loop.reads_mask())) {
    part.mask = carver.take(static_cast<std::size_t>(of.cell.gates * of.plane()) * of.element());
  }
  if (!of.backward()) return;
  const std::int64_t chunk_rows = of.schedule.rule.largest(of.pass);
  if (of.cell.recurrent_matrix) {
    part.previous = carver.take(static_cast<std::size_t>(chunk_rows * hidden) * of.element());
  }
  part.d_bias = carver.take(of.cell.slots * hidden * of.wide());
  part.column_sum_bytes =
      column_sum_workspace_bytes(of.config.data_type, of.pass.rows, of.cell.slots * hidden);
  part.column_sum = carver.take(part.column_sum_bytes);
  part.unit_weight_sums_bytes = unit_weight_gradients_workspace_bytes(
      of.config.cell, of.config.data_type, chunk_rows, hidden);
  if (part.unit_weight_sums_bytes > 0) {
    part.unit_weight_sums = carver.take(part.unit_weight_sums_bytes);
  }
}

// What the first layer uses for a shared input.
void take_shared(Carver& carver, const WorkspaceRequest& of, DirectionWorkspace& part) {
  if (of.pass.shared_rows == 0) return;
  const RecurrentConfig& config = of.config;
  const std::int64_t gates = of.cell.gates * config.hidden_size;
  const auto numbers = static_cast<std::size_t>(of.pass.shared_rows * gates);
  if (!config.gate_input) part.shared_gates = carver.take(numbers * of.element());
  if (!of.backward()) return;
  part.shared_sum_bytes = embedding_backward_workspace_bytes({.device = of.request.device},
                                                             config.data_type, of.pass.rows, gates);
  part.shared_sum = carver.take(part.shared_sum_bytes);
  if (!config.gate_input && of.element() != of.wide()) {
    part.wide_shared_gates = carver.take(numbers * of.wide());
  }
}

}  // namespace

PassReserve::PassReserve(Carver& carver, const RecurrentConfig& config,
                         const PassSchedule& schedule, const PassShape& shape, bool training,
                         bool drops)
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
  for (int part = 0; !training && part < schedule.parts(); ++part) take_direction();
  void* turns[2] = {nullptr, nullptr};
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const bool last = layer + 1 == config.num_layers;
    const bool dropped = training && input_dropout_rate(config, layer, drops) > 0.0;
    const auto inputs = static_cast<std::size_t>(shape.rows * input_size_of(config, layer));
    dropped_input.push_back(dropped ? carver.take(inputs * element) : nullptr);
    if (training) {
      for (int d = 0; d < each_layer; ++d) take_direction();
      output.push_back(last ? nullptr : carver.take(row_of_h * each_layer));
    } else {
      if (layer < 2 && !last) turns[layer] = carver.take(row_of_h * each_layer);
      output.push_back(last ? nullptr : turns[layer % 2]);
    }
  }
}

PassWorkspace::PassWorkspace(Carver& carver, const TimeLoop& loop, const PassSchedule& schedule,
                             const PassShape& shape) {
  const WorkspaceRequest request{.loop = loop, .schedule = schedule, .pass = shape};
  const RecurrentConfig& config = request.config;
  carver.align();
  DirectionWorkspace part;
  take_shared(carver, request, part);
  take_rest(carver, request, part);
  for (int i = 0; i < schedule.parts(); ++i) {
    if (i > 0 && schedule.lanes > 1) take_rest(carver, request, part);
    if (i > 0 && config.bidirectional) take_shared(carver, request, part);
    take_loop(carver, request, part);
    parts.push_back(part);
  }
  if (!request.backward()) return;
  const std::size_t output =
      static_cast<std::size_t>(shape.rows * config.output_size()) * request.element();
  for (int i = 0; i < 2 && i < config.num_layers - 1; ++i) d_output[i] = carver.take(output);
}

}  // namespace sluice
