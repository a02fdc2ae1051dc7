// A layer's two directions on a GPU by the persistent kernels, and on the CPU by their twin
// (kernels/time_loops/recurrence.h), of the same numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/number.h"
#include "kernels/sequences/dropout.h"
#include "kernels/time_loops/persistent/persistent.h"
#include "tests/kernels/device_fixture.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {

struct Arithmetic {
  DataType type = DataType::float32;
  MatrixMath math = MatrixMath::ieee;
  double allowed = 0.0;  ///< difference from float32 on the same inputs, of numbers around 1
  const char* name = "";
};

struct PersistentCase {
  PersistentKind kind;
  Cell cell;
  Arithmetic arithmetic;
  int batch, hidden, steps;
  double dropout = 0.0;
  int run_steps = 0;  ///< steps of a launch; 0: all
  int directions = 2;
  int groups_at_once = 0;  ///< as if the GPU held no more of them; 0: what it holds
  double zoneout_h = 0.0, zoneout_c = 0.0;
  bool drops = true;           ///< false: zoneout mixes
  bool shares_inputs = false;  ///< rows fetch their inputs by an index

  bool options() const { return dropout > 0.0 || zoneout_h > 0.0 || zoneout_c > 0.0; }
};

/// Numbers stored as `type`, and as floats.
inline std::vector<unsigned char> stored(DataType type, const std::vector<float>& values) {
  std::vector<unsigned char> bytes(values.size() * size_of(type));
  with_number(type, [&]<class S>(S) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const S number = narrow<S>(values[i]);
      std::memcpy(bytes.data() + i * sizeof(S), &number, sizeof(S));
    }
  });
  return bytes;
}
inline std::vector<float> widened(DataType type, const std::vector<unsigned char>& bytes) {
  std::vector<float> values(bytes.size() / size_of(type));
  with_number(type, [&]<class S>(S) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      S number;
      std::memcpy(&number, bytes.data() + i * sizeof(S), sizeof(S));
      values[i] = static_cast<float>(widen(number));
    }
  });
  return values;
}

/// An array of the type under test on the GPU, and the float32 one of the twin.
struct Tensor {
  DataType type;
  GuardedBuffer gpu, cpu;

  Tensor(const Queue& gpu_queue, const Queue& cpu_queue, DataType type_,
         const std::vector<float>& values)
      : type(type_),
        gpu(gpu_queue, stored(type_, values)),
        cpu(cpu_queue, widened(type_, stored(type_, values))) {}

  std::vector<float> on_gpu() const { return widened(type, gpu.get<unsigned char>()); }
  std::vector<float> on_cpu() const { return cpu.get<float>(); }
  /// The twin goes on from what the GPU has, so that errors of the pass before do not count.
  void take_from_gpu() { cpu.put(on_gpu()); }
};

inline std::vector<float> scaled(std::vector<float> values, double factor) {
  for (float& value : values) value = static_cast<float>(value * factor);
  return values;
}

/// Everything one direction reads and writes.
struct PersistentDirection {
  std::int64_t rows, batch, hidden, gates, slots, unit_weight_count;
  Tensor weights, unit_weights, x, inputs, h, c, dy;  // of the type
  Tensor bias, h_state, c_state, dh, dc;              // of its state_type
  Tensor h_initial, c_initial;
  GuardedBuffer mask;  // the twin's
  GuardedBuffer packed_forward, packed_backward, exchange_forward, exchange_backward;
  GuardedBuffer twin_forward, twin_backward, scratch;
  UnitDraws draws;

  static constexpr int shared_inputs = 3;  ///< U

  PersistentDirection(const Queue& gpu, const Queue& cpu, const PersistentCase& test,
                      const SequencesOnDevice& sequences, int number)
      : PersistentDirection(gpu, cpu, test, sequences, number, test.arithmetic.type,
                            state_type(test.arithmetic.type)) {}

  PersistentDirection(const Queue& gpu, const Queue& cpu, const PersistentCase& test,
                      const SequencesOnDevice& sequences, int number, DataType type, DataType wide)
      : rows(sequences.rows()),
        batch(sequences.batch()),
        hidden(test.hidden),
        gates(gate_count(test.cell)),
        slots(slot_count(test.cell)),
        unit_weight_count(std::max(1, spec_of(test.cell).unit_weights)),
        weights(gpu, cpu, type,
                scaled(numbers(gates * hidden * hidden, number, 0), 1.5 / std::sqrt(hidden))),
        unit_weights(gpu, cpu, type, numbers(unit_weight_count * hidden, number, 8)),
        x(gpu, cpu, type, numbers(rows * slots * hidden, number, 1)),
        inputs(gpu, cpu, type, numbers(shared_inputs * gates * hidden, number, 9)),
        h(gpu, cpu, type, nothing(rows * (hidden + 3))),
        c(gpu, cpu, type, nothing(rows * hidden)),
        dy(gpu, cpu, type, numbers(rows * (hidden + 1), number, 2)),
        bias(gpu, cpu, wide, numbers(slots * hidden, number, 3)),
        h_state(gpu, cpu, wide, numbers(batch * hidden, number, 4)),
        c_state(gpu, cpu, wide, numbers(batch * hidden, number, 5)),
        dh(gpu, cpu, wide, numbers(batch * hidden, number, 6)),
        dc(gpu, cpu, wide, numbers(batch * hidden, number, 7)),
        h_initial(gpu, cpu, wide, numbers(batch * hidden, number, 4)),
        c_initial(gpu, cpu, wide, numbers(batch * hidden, number, 5)),
        mask(cpu, static_cast<std::size_t>(gates * batch * hidden) * sizeof(float)),
        packed_forward(gpu, persistent_weight_bytes(request(test, RecurrentPass::forward))),
        packed_backward(gpu, persistent_weight_bytes(request(test, RecurrentPass::backward))),
        exchange_forward(gpu, persistent_exchange_bytes(request(test, RecurrentPass::forward))),
        exchange_backward(gpu, persistent_exchange_bytes(request(test, RecurrentPass::backward))),
        twin_forward(cpu, recurrence_weight_bytes(twin_shape(test))),
        twin_backward(cpu, recurrence_weight_bytes(twin_shape(test))),
        scratch(cpu, recurrence_scratch_bytes(twin_shape(test), batch)) {
    const auto stream = static_cast<std::uint32_t>(number);
    draws.mask = {test.dropout, {.seed = 5, .stream = stream}};
    draws.zoneout = {
        .rate = {static_cast<float>(test.zoneout_h), static_cast<float>(test.zoneout_c)},
        .drops = test.drops,
        .hidden_size = static_cast<std::uint32_t>(hidden),
        .random = {.seed = 7, .stream = stream}};
  }

  static std::vector<float> numbers(std::int64_t count, int number, int which) {
    return random_numbers<float>(count, static_cast<std::uint32_t>(10 + 20 * number + which));
  }
  static std::vector<float> nothing(std::int64_t count) {
    return std::vector<float>(static_cast<std::size_t>(count), std::nanf(""));
  }
  static PersistentRequest request(const PersistentCase& test, RecurrentPass pass) {
    return {.kind = test.kind,
            .pass = pass,
            .shape = {test.cell, test.arithmetic.type, test.hidden, test.arithmetic.math},
            .batch = test.batch,
            .directions = test.directions,
            .options = test.options()};
  }
  static RecurrenceShape twin_shape(const PersistentCase& test) {
    return {test.cell, DataType::float32, test.hidden, MatrixMath::ieee};
  }
  /// The twin's mask.
  const void* mask_if(double rate) const { return rate > 0.0 ? mask.data() : nullptr; }
};

/// Rows of every length from 1 to `steps`, in no order, one of them of all steps.
inline std::vector<std::int32_t> ragged(int batch, int steps) {
  std::vector<std::int32_t> lengths;
  for (int row = 0; row < batch; ++row) lengths.push_back(1 + (row * 5 + steps - 1) % steps);
  return lengths;
}

/// A case on both devices, run after run of steps.
class PersistentRun {
 public:
  PersistentRun(const Queue& gpu, const Queue& cpu, const PersistentCase& test)
      : gpu_(gpu),
        cpu_(cpu),
        test_(test),
        on_gpu_(gpu, ragged(test.batch, test.steps)),
        on_cpu_(cpu, ragged(test.batch, test.steps)),
        forward_fit_(fit(RecurrentPass::forward)),
        backward_fit_(fit(RecurrentPass::backward)),
        index_(gpu, index_of_rows(on_gpu_.rows())) {}

  const PersistentFit& forward_fit() const { return forward_fit_; }
  const PersistentFit& backward_fit() const { return backward_fit_; }
  const std::vector<std::unique_ptr<PersistentDirection>>& directions() const {
    return directions_;
  }

  void prepare() {
    for (int d = 0; d < test_.directions; ++d) {
      directions_.push_back(std::make_unique<PersistentDirection>(gpu_, cpu_, test_, on_gpu_, d));
      PersistentDirection& at = *directions_.back();
      if (test_.dropout > 0.0) {
        dropout_mask(cpu_, {.planes = at.gates,
                            .rows = at.batch,
                            .columns = at.hidden,
                            .rate = test_.dropout,
                            .random = at.draws.mask.random,
                            .order = on_cpu_.view().order,
                            .mask = at.mask.data()});
      }
      if (test_.shares_inputs) give_rows_their_inputs(at);
      persistent_pack(gpu_, forward_fit_, at.weights.gpu.data(), at.packed_forward.data());
      persistent_pack(gpu_, backward_fit_, at.weights.gpu.data(), at.packed_backward.data());
      const RecurrenceShape shape = PersistentDirection::twin_shape(test_);
      pack_forward_weights(cpu_, shape, at.weights.cpu.data(), at.twin_forward.data());
      pack_backward_weights(cpu_, shape, at.weights.cpu.data(), at.twin_backward.data());
    }
  }

  void forward() {
    for (int i = 0; i < runs(); ++i) {
      std::vector<PersistentForwardArgs> args;
      for (int d = 0; d < test_.directions; ++d) args.push_back(forward_of(d, i));
      persistent_forward(gpu_, forward_fit_, args.data());
    }
  }
  void backward() {
    for (int i = 0; i < runs(); ++i) {
      std::vector<PersistentBackwardArgs> args;
      for (int d = 0; d < test_.directions; ++d) args.push_back(backward_of(d, i));
      persistent_backward(gpu_, backward_fit_, args.data());
    }
  }

 private:
  PersistentFit fit(RecurrentPass pass) const {
    PersistentFit fit =
        persistent_fit(persistent_limits(), PersistentDirection::request(test_, pass));
    if (test_.groups_at_once > 0) fit.groups_at_once = test_.groups_at_once;
    return fit;
  }

  static std::vector<std::int32_t> index_of_rows(std::int64_t rows) {
    std::vector<std::int32_t> index;
    for (std::int64_t n = 0; n < rows; ++n) {
      index.push_back(static_cast<std::int32_t>(n * 2 % PersistentDirection::shared_inputs));
    }
    return index;
  }
  /// The twin's slots hold what the index says; the GPU's hold nothing.
  void give_rows_their_inputs(PersistentDirection& at) const {
    const std::vector<std::int32_t> index = index_.get<std::int32_t>();
    const std::vector<float> inputs = at.inputs.on_cpu();
    std::vector<float> x = at.x.on_cpu();
    for (std::int64_t n = 0; n < at.rows; ++n) {
      const std::int64_t from = index[static_cast<std::size_t>(n)] * at.gates * at.hidden;
      std::copy_n(inputs.begin() + from, at.gates * at.hidden,
                  x.begin() + n * at.slots * at.hidden);
    }
    at.x.cpu.put(x);
    at.x.gpu.poison();
  }

  int run_steps() const { return test_.run_steps > 0 ? test_.run_steps : test_.steps; }
  int runs() const { return (test_.steps + run_steps() - 1) / run_steps(); }
  /// Steps [begin, end) of run i.
  std::pair<int, int> steps_of_run(int i, bool from_the_end) const {
    const int which = from_the_end ? runs() - 1 - i : i;
    return {which * run_steps(), std::min(test_.steps, (which + 1) * run_steps())};
  }
  void* gates_of(const GuardedBuffer& memory, const PersistentDirection& at, int begin,
                 DataType type) const {
    const std::int64_t first = on_cpu_.view().host_offsets[begin] * at.slots * at.hidden;
    return static_cast<unsigned char*>(memory.data()) +
           static_cast<std::size_t>(first) * size_of(type);
  }

  /// Runs the twin; what the GPU's launch is given.
  PersistentForwardArgs forward_of(int d, int i) {
    PersistentDirection& at = *directions_[static_cast<std::size_t>(d)];
    const auto [begin, end] = steps_of_run(i, d == 1);
    const RecurrenceForwardArgs twin{.shape = PersistentDirection::twin_shape(test_),
                                     .sequences = on_cpu_.view(),
                                     .reverse = d == 1,
                                     .begin = begin,
                                     .end = end,
                                     .gates = gates_of(at.x.cpu, at, begin, DataType::float32),
                                     .bias = at.bias.cpu.data(),
                                     .packed = at.twin_forward.data(),
                                     .h_state = at.h_state.cpu.data(),
                                     .c_state = at.c_state.cpu.data(),
                                     .c = at.c.cpu.data(),
                                     .h = at.h.cpu.data(),
                                     .ldh = at.hidden + 3,
                                     .mask = at.mask_if(test_.dropout),
                                     .unit_weights = at.unit_weights.cpu.data(),
                                     .draws = at.draws,
                                     .scratch = at.scratch.data()};
    recurrence_forward(cpu_, twin);
    RecurrenceForwardArgs own = twin;
    own.shape = forward_fit_.request.shape;
    own.sequences = on_gpu_.view();
    own.gates = gates_of(at.x.gpu, at, begin, at.x.type);
    own.bias = at.bias.gpu.data();
    own.packed = at.packed_forward.data();
    own.h_state = at.h_state.gpu.data();
    own.c_state = at.c_state.gpu.data();
    own.c = at.c.gpu.data();
    own.h = at.h.gpu.data();
    own.unit_weights = at.unit_weights.gpu.data();
    own.mask = own.scratch = nullptr;
    PersistentForwardArgs args{.recurrence = own, .exchange = at.exchange_forward.data()};
    if (test_.shares_inputs) {
      args.inputs = at.inputs.gpu.data();
      args.input_index = static_cast<const std::int32_t*>(index_.data());
    }
    return args;
  }
  PersistentBackwardArgs backward_of(int d, int i) {
    PersistentDirection& at = *directions_[static_cast<std::size_t>(d)];
    const auto [begin, end] = steps_of_run(i, d == 0);
    const bool has_dy = test_.batch != 3;
    const RecurrenceBackwardArgs twin{.shape = PersistentDirection::twin_shape(test_),
                                      .sequences = on_cpu_.view(),
                                      .reverse = d == 1,
                                      .begin = begin,
                                      .end = end,
                                      .gates = gates_of(at.x.cpu, at, begin, DataType::float32),
                                      .packed = at.twin_backward.data(),
                                      .h_initial = at.h_initial.cpu.data(),
                                      .c_initial = at.c_initial.cpu.data(),
                                      .h = at.h.cpu.data(),
                                      .ldh = at.hidden + 3,
                                      .c = at.c.cpu.data(),
                                      .dy = has_dy ? at.dy.cpu.data() : nullptr,
                                      .lddy = at.hidden + 1,
                                      .dh_state = at.dh.cpu.data(),
                                      .dc_state = at.dc.cpu.data(),
                                      .mask = at.mask_if(test_.dropout),
                                      .unit_weights = at.unit_weights.cpu.data(),
                                      .draws = at.draws,
                                      .scratch = at.scratch.data()};
    recurrence_backward(cpu_, twin);
    RecurrenceBackwardArgs own = twin;
    own.shape = backward_fit_.request.shape;
    own.sequences = on_gpu_.view();
    own.gates = gates_of(at.x.gpu, at, begin, at.x.type);
    own.packed = at.packed_backward.data();
    own.h_initial = at.h_initial.gpu.data();
    own.c_initial = at.c_initial.gpu.data();
    own.h = at.h.gpu.data();
    own.c = at.c.gpu.data();
    own.dy = has_dy ? at.dy.gpu.data() : nullptr;
    own.dh_state = at.dh.gpu.data();
    own.dc_state = at.dc.gpu.data();
    own.unit_weights = at.unit_weights.gpu.data();
    own.mask = own.scratch = nullptr;
    return {.recurrence = own, .exchange = at.exchange_backward.data()};
  }

  const Queue &gpu_, &cpu_;
  const PersistentCase test_;
  const SequencesOnDevice on_gpu_, on_cpu_;
  const PersistentFit forward_fit_, backward_fit_;
  const GuardedBuffer index_;  // [N] of the shared inputs
  std::vector<std::unique_ptr<PersistentDirection>> directions_;
};

}  // namespace sluice::test
