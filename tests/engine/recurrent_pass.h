// A recurrent plan with memory of its own: one forward and one backward pass over host vectors.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine/loops/time_loop.h"
#include "engine/recurrent.h"
#include "engine/sequence_layout.h"
#include "kernels/base/number.h"
#include "kernels/device/lanes.h"
#include "tests/kernels/test_device.h"

namespace sluice::test {

/// What a test of recurrent layers runs on.
struct Backend {
  DeviceKind device = DeviceKind::cpu;
  Algorithm algorithm = Algorithm::stepwise;
  std::int32_t chunk_steps = 0;  // tests are short: without this they would be one chunk
  bool lanes = false;            // as many streams as the plan can use
};
inline constexpr Backend backends[] = {
    {DeviceKind::cpu, Algorithm::stepwise},   {DeviceKind::cpu, Algorithm::stepwise, 2},
    {DeviceKind::cpu, Algorithm::row_blocks}, {DeviceKind::cpu, Algorithm::row_blocks, 2},
    {DeviceKind::cuda, Algorithm::stepwise},  {DeviceKind::cuda, Algorithm::persistent_block}};

inline std::string name_of(const Backend& backend) {
  return name_of(backend.device) +
         (backend.algorithm == Algorithm::row_blocks           ? "_row_blocks"
          : backend.algorithm == Algorithm::persistent_block   ? "_persistent_block"
          : backend.algorithm == Algorithm::persistent_cluster ? "_persistent_cluster"
          : backend.algorithm == Algorithm::persistent_grid    ? "_persistent_grid"
                                                               : "_stepwise") +
         (backend.chunk_steps == 0 ? "" : "_chunks_of_" + std::to_string(backend.chunk_steps));
}

/// Why a test of this cell and type cannot run on `backend` here; empty if it can.
inline std::string why_unavailable(const Backend& backend, Cell cell,
                                   DataType type = DataType::float32) {
  const std::string why = why_unavailable(backend.device);
  if (!why.empty()) return why;
  return why_not(backend.algorithm,
                 {.cell = cell, .data_type = type, .input_size = 1, .hidden_size = 1},
                 backend.device);
}

/// Every unit option that its cell can have, and dropout on inputs, at `rate`.
inline void turn_on_options(RecurrentConfig& config, double rate) {
  config.input_dropout = config.layer_dropout = config.recurrent_dropout = rate;
  config.zoneout_h = rate;
  config.zoneout_c = has_cell_state(config.cell) ? rate : 0.0;
}

/// [T, B, features] in the caller's row order -> [N, features] packed, and back with zeros past a
/// row's end.
template <class Number>
std::vector<Number> packed(const SequenceLayout& layout, const std::vector<Number>& padded,
                           std::int64_t features) {
  std::vector<Number> rows;
  for (std::int32_t t = 0; t < layout.steps(); ++t) {
    for (std::int32_t r = 0; r < layout.offsets()[t + 1] - layout.offsets()[t]; ++r) {
      const std::int64_t row = std::int64_t{t} * layout.batch() + layout.order()[r];
      rows.insert(rows.end(), padded.begin() + row * features,
                  padded.begin() + (row + 1) * features);
    }
  }
  return rows;
}
template <class Number>
std::vector<Number> padded(const SequenceLayout& layout, const std::vector<Number>& rows,
                           std::int64_t features) {
  std::vector<Number> all(
      static_cast<std::size_t>(std::int64_t{layout.steps()} * layout.batch() * features));
  for (std::int32_t t = 0; t < layout.steps(); ++t) {
    for (std::int32_t r = 0; r < layout.offsets()[t + 1] - layout.offsets()[t]; ++r) {
      const std::int64_t to = std::int64_t{t} * layout.batch() + layout.order()[r];
      const std::int64_t from = std::int64_t{layout.offsets()[t]} + r;
      std::copy_n(rows.begin() + from * features, features, all.begin() + to * features);
    }
  }
  return all;
}

/// NaN equals NaN here.
template <class Number>
bool same_bits(const std::vector<Number>& a, const std::vector<Number>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Number)) == 0);
}

/// Fill the inputs (an empty one is a null pointer), run forward(), read the outputs; then fill
/// dy, dh_n, dc_n, run backward(), read the gradients. Every buffer is guarded, holds exactly what
/// the plan asked for, and starts as NaN; a stray write fails the test.
template <class Number>
class RecurrentPass {
 public:
  std::vector<Number> parameters, x, h0, c0;  ///< in; x is packed [N, I], or [U, I] with an index
  std::vector<std::int32_t> x_index;          ///< [N] of a shared input, or empty
  std::vector<Number> y, h_n, c_n;            ///< out; y is packed [N, D*H]
  std::vector<Number> dy, dh_n, dc_n;         ///< in
  std::vector<Number> dx, dh0, dc0;           ///< out
  std::vector<Wide<Number>> d_parameters;     ///< out
  bool drops = true;
  std::uint64_t seed = 0;
  std::vector<std::uint32_t> step;  ///< one number, or empty for a null pointer
  /// False passes null pointers for these outputs.
  bool want_final_states = true, want_dx = true, want_d_states = true, want_d_parameters = true;

  RecurrentPass(const RecurrentConfig& config, const Backend& backend, const SequenceLayout& layout,
                bool training = true, int threads = 1)
      : RecurrentPass(config, backend, layout,
                      PassShape{layout.rows(), layout.steps(), layout.batch(), training}, threads) {
  }

  /// With buffers for `capacity`, which may be more than `layout` needs.
  RecurrentPass(const RecurrentConfig& config, const Backend& backend, const SequenceLayout& layout,
                const PassShape& capacity, int threads = 1)
      : plan_(config, backend.device, backend.algorithm, backend.chunk_steps),
        layout_(layout),
        training_(capacity.training),
        device_(backend.device, threads),
        workspace_(device_.queue(), plan_.workspace_bytes(capacity)),
        reserve_(device_.queue(), plan_.reserve_bytes(capacity)),
        layout_memory_(device_.queue(), SequenceLayout::device_bytes(layout.rows(), layout.steps(),
                                                                     layout.batch())) {
    sequences_ = layout_.upload(device_.queue(), layout_memory_.data());
    if (backend.lanes) add_lanes(device_.queue(), plan_.lanes());
  }

  const RecurrentPlan& plan() const { return plan_; }
  const SequenceLayout& layout() const { return layout_; }
  std::size_t rows() const { return static_cast<std::size_t>(layout_.rows()); }
  std::size_t input_count() const { return rows() * plan_.config().input_size; }
  std::size_t output_count() const { return rows() * plan_.config().output_size(); }
  std::size_t state_count() const {
    const RecurrentConfig& config = plan_.config();
    return static_cast<std::size_t>(config.num_layers * config.directions() * layout_.batch() *
                                    config.hidden_size);
  }

  void forward() {
    const Queue& queue = device_.queue();
    workspace_.poison();
    reserve_.poison();
    const bool lstm = has_cell_state(plan_.config().cell);
    Inputs inputs(*this);
    GuardedBuffer y_memory(queue, output_count() * sizeof(Number));
    GuardedBuffer h_memory(queue, state_count() * sizeof(Number));
    GuardedBuffer c_memory(queue, lstm ? state_count() * sizeof(Number) : 0);
    RecurrentForwardArgs args;
    args.sequences = sequences_;
    args.parameters = inputs.parameters.data();
    args.x = inputs.x.data();
    args.shared_input = shared_input(inputs);
    args.h0 = pointer(h0, inputs.h0);
    args.c0 = pointer(c0, inputs.c0);
    args.y = y_memory.data();
    args.h_n = want_final_states ? h_memory.data() : nullptr;
    args.c_n = want_final_states && lstm ? c_memory.data() : nullptr;
    args.reserve = training_ ? reserve_.data() : nullptr;
    args.workspace = workspace_.data();
    args.drops = drops;
    args.seed = seed;
    args.step = static_cast<const std::uint32_t*>(pointer(step, inputs.step));
    plan_.forward(queue, args);
    y = y_memory.get<Number>();
    h_n = h_memory.get<Number>();
    c_n = c_memory.get<Number>();
    expect_intact({{"y", &y_memory}, {"h_n", &h_memory}, {"c_n", &c_memory}});
    inputs.expect_intact(*this);
  }

  void backward() {
    const Queue& queue = device_.queue();
    workspace_.poison();
    Inputs inputs(*this);
    GuardedBuffer y_memory(queue, y), dy_memory(queue, dy), dh_n_memory(queue, dh_n),
        dc_n_memory(queue, dc_n);
    GuardedBuffer dx_memory(queue, x.size() * sizeof(Number));
    GuardedBuffer dh0_memory(queue, state_count() * sizeof(Number));
    const bool lstm = has_cell_state(plan_.config().cell);
    GuardedBuffer dc0_memory(queue, lstm ? state_count() * sizeof(Number) : 0);
    GuardedBuffer d_parameters_memory(queue, parameters.size() * sizeof(Wide<Number>));
    RecurrentBackwardArgs args;
    args.sequences = sequences_;
    args.parameters = inputs.parameters.data();
    args.x = inputs.x.data();
    args.shared_input = shared_input(inputs);
    args.h0 = pointer(h0, inputs.h0);
    args.c0 = pointer(c0, inputs.c0);
    args.y = y_memory.data();
    args.dy = pointer(dy, dy_memory);
    args.dh_n = pointer(dh_n, dh_n_memory);
    args.dc_n = pointer(dc_n, dc_n_memory);
    args.dx = want_dx ? dx_memory.data() : nullptr;
    args.dh0 = want_d_states ? dh0_memory.data() : nullptr;
    args.dc0 = want_d_states && lstm ? dc0_memory.data() : nullptr;
    args.d_parameters = want_d_parameters ? d_parameters_memory.data() : nullptr;
    args.reserve = reserve_.data();
    args.workspace = workspace_.data();
    args.drops = drops;
    args.seed = seed;
    args.step = static_cast<const std::uint32_t*>(pointer(step, inputs.step));
    plan_.backward(queue, args);
    dx = dx_memory.get<Number>();
    dh0 = dh0_memory.get<Number>();
    dc0 = dc0_memory.get<Number>();
    d_parameters = d_parameters_memory.get<Wide<Number>>();
    expect_intact({{"dx", &dx_memory},
                   {"dh0", &dh0_memory},
                   {"dc0", &dc0_memory},
                   {"d_parameters", &d_parameters_memory}});
    inputs.expect_intact(*this);
  }

 private:
  struct Inputs {
    explicit Inputs(const RecurrentPass& pass)
        : parameters(pass.device_.queue(), pass.parameters),
          x(pass.device_.queue(), pass.x),
          x_index(pass.device_.queue(), pass.x_index),
          h0(pass.device_.queue(), pass.h0),
          c0(pass.device_.queue(), pass.c0),
          step(pass.device_.queue(), pass.step) {}
    void expect_intact(const RecurrentPass& pass) const {
      EXPECT_TRUE(same_bits(parameters.template get<Number>(), pass.parameters)) << "was changed";
      EXPECT_TRUE(same_bits(x.template get<Number>(), pass.x)) << "was changed";
      EXPECT_TRUE(same_bits(h0.template get<Number>(), pass.h0)) << "was changed";
      EXPECT_TRUE(same_bits(c0.template get<Number>(), pass.c0)) << "was changed";
    }
    GuardedBuffer parameters, x, x_index, h0, c0, step;
  };

  // Of what U counts: with gate_input the tests set input_size to that of one direction's gates.
  std::int64_t input_width() const {
    const RecurrentConfig& config = plan_.config();
    return config.input_size * (config.gate_input ? config.directions() : 1);
  }
  SharedInput shared_input(const Inputs& inputs) const {
    return {static_cast<const std::int32_t*>(pointer(x_index, inputs.x_index)),
            x_index.empty() ? 0 : static_cast<std::int64_t>(x.size()) / input_width()};
  }

  template <class Element>
  static const void* pointer(const std::vector<Element>& values, const GuardedBuffer& memory) {
    return values.empty() ? nullptr : memory.data();
  }

  void expect_intact(std::vector<std::pair<const char*, const GuardedBuffer*>> buffers) const {
    buffers.insert(buffers.end(), {{"workspace", &workspace_}, {"reserve", &reserve_}});
    for (const auto& [name, memory] : buffers) {
      EXPECT_TRUE(memory->guards_intact()) << "written beyond the ends of " << name;
    }
  }

  RecurrentPlan plan_;
  SequenceLayout layout_;
  bool training_;
  TestDevice device_;
  GuardedBuffer workspace_, reserve_, layout_memory_;
  Sequences sequences_;
};

/// Numbers between -scale and scale, the same for the same seed everywhere.
template <class Number>
std::vector<Number> random_numbers(std::size_t count, std::uint32_t seed, double scale = 1.0) {
  std::vector<Number> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Philox::Block block = Philox::draw({{static_cast<std::uint32_t>(i), 0, 0, 0}}, seed, 0);
    values[i] = narrow<Number>(
        static_cast<Wide<Number>>((2.0 * Philox::uniform(block.word[0]) - 1.0) * scale));
  }
  return values;
}

/// Fills every input that the configuration has, states included.
template <class Number>
void fill_inputs(RecurrentPass<Number>& pass, std::uint32_t seed = 1) {
  const RecurrentConfig& config = pass.plan().config();
  const auto count = static_cast<std::size_t>(parameter_count(recurrent_parameters(config)));
  const bool lstm = has_cell_state(config.cell);
  pass.parameters = random_numbers<Number>(count, seed, 0.6);
  pass.x = random_numbers<Number>(pass.input_count(), seed + 1);
  pass.h0 = random_numbers<Number>(pass.state_count(), seed + 2, 0.5);
  pass.c0 = random_numbers<Number>(lstm ? pass.state_count() : 0, seed + 3, 0.5);
  pass.dy = random_numbers<Number>(pass.output_count(), seed + 4);
  pass.dh_n = random_numbers<Number>(pass.state_count(), seed + 5);
  pass.dc_n = random_numbers<Number>(lstm ? pass.state_count() : 0, seed + 6);
}

}  // namespace sluice::test
