// The persistent kernels against their CPU twin (kernels/time_loops/recurrence.h) on the same
// numbers: both directions in one launch, rows of different lengths, runs of steps one after the
// other.
#include "kernels/time_loops/persistent/persistent.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/base/number.h"
#include "kernels/sequences/dropout.h"
#include "tests/kernels/device_fixture.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

struct Arithmetic {
  DataType type = DataType::float32;
  MatrixMath math = MatrixMath::ieee;
  double allowed = 0.0;  ///< difference from float32 on the same inputs, of numbers around 1
  const char* name = "";
};
// Roundings of h, dG and, stored, of everything else: 2^-9, 2^-12, 2^-11 (operands alone), a few
// steps.
constexpr Arithmetic ieee{DataType::float32, MatrixMath::ieee, 2e-5, "float32"};
constexpr Arithmetic tf32{DataType::float32, MatrixMath::tf32, 4e-3, "tf32"};
constexpr Arithmetic bfloat16{DataType::bfloat16, MatrixMath::ieee, 2e-2, "bfloat16"};
constexpr Arithmetic float16{DataType::float16, MatrixMath::ieee, 3e-3, "float16"};

struct Case {
  PersistentKind kind;
  Cell cell;
  Arithmetic arithmetic;
  int batch, hidden, steps;
  double dropout = 0.0;
  int run_steps = 0;  ///< steps of a launch; 0: all
  int directions = 2;
  int groups_at_once = 0;  ///< as if the GPU held no more of them; 0: what it holds
};

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  return std::string(c.kind == PersistentKind::block     ? "block_"
                     : c.kind == PersistentKind::cluster ? "cluster_"
                                                         : "grid_") +
         sluice::name_of(c.cell) + "_" + c.arithmetic.name + "_b" + std::to_string(c.batch) + "_h" +
         std::to_string(c.hidden) + "_t" + std::to_string(c.steps) +
         (c.dropout > 0.0 ? "_dropout" : "") +
         (c.run_steps > 0 ? "_runs_of_" + std::to_string(c.run_steps) : "") +
         (c.directions == 1 ? "_one_direction" : "") +
         (c.groups_at_once > 0 ? "_one_after_the_other" : "") + "_cuda";
}

/// Numbers stored as `type`, and as floats.
template <class S>
std::vector<unsigned char> stored_as(const std::vector<float>& values) {
  std::vector<unsigned char> bytes(values.size() * sizeof(S));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const S number = narrow<S>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(S), &number, sizeof(S));
  }
  return bytes;
}
std::vector<unsigned char> stored(DataType type, const std::vector<float>& values) {
  return type == DataType::bfloat16  ? stored_as<BFloat16>(values)
         : type == DataType::float16 ? stored_as<Float16>(values)
                                     : stored_as<float>(values);
}
template <class S>
std::vector<float> widened_from(const std::vector<unsigned char>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(S));
  for (std::size_t i = 0; i < values.size(); ++i) {
    S number;
    std::memcpy(&number, bytes.data() + i * sizeof(S), sizeof(S));
    values[i] = widen(number);
  }
  return values;
}
std::vector<float> widened(DataType type, const std::vector<unsigned char>& bytes) {
  return type == DataType::bfloat16  ? widened_from<BFloat16>(bytes)
         : type == DataType::float16 ? widened_from<Float16>(bytes)
                                     : widened_from<float>(bytes);
}
std::vector<float> rounded(DataType type, const std::vector<float>& values) {
  return widened(type, stored(type, values));
}

/// An array of the type under test on the GPU, and the float32 one of the twin.
struct Tensor {
  DataType type;
  GuardedBuffer gpu, cpu;

  Tensor(const Queue& gpu_queue, const Queue& cpu_queue, DataType type_,
         const std::vector<float>& values)
      : type(type_),
        gpu(gpu_queue, stored(type_, values)),
        cpu(cpu_queue, rounded(type_, values)) {}

  std::vector<float> on_gpu() const { return widened(type, gpu.get<unsigned char>()); }
  std::vector<float> on_cpu() const { return cpu.get<float>(); }
  /// The twin goes on from what the GPU has, so that errors of the pass before do not count.
  void take_from_gpu() { cpu.put(on_gpu()); }
};

std::vector<float> scaled(std::vector<float> values, double factor) {
  for (float& value : values) value = static_cast<float>(value * factor);
  return values;
}

class Persistent : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const std::string problem = why_unavailable(DeviceKind::cuda);
    if (!problem.empty()) GTEST_SKIP() << problem;
    gpu_ = std::make_unique<TestDevice>(DeviceKind::cuda);
    cpu_ = std::make_unique<TestDevice>(DeviceKind::cpu);
  }
  std::unique_ptr<TestDevice> gpu_, cpu_;
};

/// Everything one direction reads and writes.
struct Direction {
  std::int64_t rows, batch, hidden, gates, slots;
  Tensor weights, x, h, c, dy;            // of the type
  Tensor bias, h_state, c_state, dh, dc;  // float32
  Tensor h_initial, c_initial;
  GuardedBuffer mask;  // the twin's
  GuardedBuffer packed_forward, packed_backward, exchange_forward, exchange_backward;
  GuardedBuffer twin_forward, twin_backward, scratch;

  Direction(const Queue& gpu, const Queue& cpu, const Case& test,
            const SequencesOnDevice& sequences, std::uint32_t seed, std::size_t forward_exchange,
            std::size_t backward_exchange)
      : rows(sequences.rows()),
        batch(sequences.batch()),
        hidden(test.hidden),
        gates(gate_count(test.cell)),
        slots(slot_count(test.cell)),
        weights(
            gpu, cpu, test.arithmetic.type,
            scaled(random_numbers<float>(gates * hidden * hidden, seed), 1.5 / std::sqrt(hidden))),
        x(gpu, cpu, test.arithmetic.type, random_numbers<float>(rows * slots * hidden, seed + 1)),
        h(gpu, cpu, test.arithmetic.type, nothing(rows * (hidden + 3))),
        c(gpu, cpu, test.arithmetic.type, nothing(rows * hidden)),
        dy(gpu, cpu, test.arithmetic.type, random_numbers<float>(rows * (hidden + 1), seed + 2)),
        bias(gpu, cpu, DataType::float32, random_numbers<float>(slots * hidden, seed + 3)),
        h_state(gpu, cpu, DataType::float32, random_numbers<float>(batch * hidden, seed + 4)),
        c_state(gpu, cpu, DataType::float32, random_numbers<float>(batch * hidden, seed + 5)),
        dh(gpu, cpu, DataType::float32, random_numbers<float>(batch * hidden, seed + 6)),
        dc(gpu, cpu, DataType::float32, random_numbers<float>(batch * hidden, seed + 7)),
        h_initial(gpu, cpu, DataType::float32, random_numbers<float>(batch * hidden, seed + 4)),
        c_initial(gpu, cpu, DataType::float32, random_numbers<float>(batch * hidden, seed + 5)),
        mask(cpu, static_cast<std::size_t>(gates * batch * hidden) * sizeof(float)),
        packed_forward(gpu, persistent_weight_bytes(asked(test, RecurrentPass::forward))),
        packed_backward(gpu, persistent_weight_bytes(asked(test, RecurrentPass::backward))),
        exchange_forward(gpu, forward_exchange),
        exchange_backward(gpu, backward_exchange),
        twin_forward(cpu, recurrence_weight_bytes(twin_shape(test))),
        twin_backward(cpu, recurrence_weight_bytes(twin_shape(test))),
        scratch(cpu, recurrence_scratch_bytes(twin_shape(test), batch)) {}

  static std::vector<float> nothing(std::int64_t count) {
    return std::vector<float>(static_cast<std::size_t>(count), std::nanf(""));
  }
  static RecurrenceShape shape(const Case& test) {
    return {test.cell, test.arithmetic.type, test.hidden, test.arithmetic.math};
  }
  static PersistentRequest asked(const Case& test, RecurrentPass pass) {
    return {.kind = test.kind, .pass = pass, .shape = shape(test), .batch = test.batch};
  }
  static RecurrenceShape twin_shape(const Case& test) {
    return {test.cell, DataType::float32, test.hidden, MatrixMath::ieee};
  }
};

/// Rows of every length from 1 to `steps`, in no order, one of them of all steps.
std::vector<std::int32_t> ragged(int batch, int steps) {
  std::vector<std::int32_t> lengths;
  for (int row = 0; row < batch; ++row) lengths.push_back(1 + (row * 5 + steps - 1) % steps);
  return lengths;
}

void expect_close(const char* name, const std::vector<float>& gpu, const std::vector<float>& cpu,
                  double allowed) {
  ASSERT_EQ(gpu.size(), cpu.size()) << name;
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    if (std::isnan(cpu[i])) {  // the twin left it alone
      ASSERT_TRUE(std::isnan(gpu[i])) << name << " at " << i << " was written";
      continue;
    }
    const double of = std::max(1.0, std::abs(static_cast<double>(cpu[i])));
    ASSERT_NEAR(gpu[i], cpu[i], allowed * of) << name << " at " << i << " of " << cpu.size();
  }
}

TEST_P(Persistent, AgreesWithTheCpu) {
  const Case& test = GetParam();
  const Queue &gpu = gpu_->queue(), &cpu = cpu_->queue();
  const std::vector<std::int32_t> lengths = ragged(test.batch, test.steps);
  const SequencesOnDevice on_gpu(gpu, lengths), on_cpu(cpu, lengths);
  PersistentRequest request{.kind = test.kind,
                            .pass = RecurrentPass::forward,
                            .shape = Direction::shape(test),
                            .batch = test.batch,
                            .directions = test.directions,
                            .options = test.dropout > 0.0};
  PersistentFit forward_fit = persistent_fit(persistent_limits(), request);
  if (!forward_fit.fits && persistent_limits().major < 9) GTEST_SKIP() << forward_fit.why_not;
  ASSERT_TRUE(forward_fit.fits) << forward_fit.why_not;
  PersistentRequest backward_request = request;
  backward_request.pass = RecurrentPass::backward;
  PersistentFit backward_fit = persistent_fit(persistent_limits(), backward_request);
  ASSERT_TRUE(backward_fit.fits) << backward_fit.why_not;
  if (test.groups_at_once > 0)
    forward_fit.groups_at_once = backward_fit.groups_at_once = test.groups_at_once;

  std::vector<std::unique_ptr<Direction>> directions;
  std::vector<RandomStream> random;
  for (int d = 0; d < test.directions; ++d) {
    directions.push_back(std::make_unique<Direction>(gpu, cpu, test, on_gpu, 10 + 20 * d,
                                                     persistent_exchange_bytes(request),
                                                     persistent_exchange_bytes(backward_request)));
    Direction& at = *directions.back();
    random.push_back({.seed = 5, .stream = static_cast<std::uint32_t>(d)});
    if (request.options) {
      dropout_mask(cpu, {.planes = at.gates,
                         .rows = at.batch,
                         .columns = at.hidden,
                         .rate = test.dropout,
                         .random = random[d],
                         .order = on_cpu.view().order,
                         .mask = at.mask.data()});
    }
    persistent_pack(gpu, forward_fit, at.weights.gpu.data(), at.packed_forward.data());
    persistent_pack(gpu, backward_fit, at.weights.gpu.data(), at.packed_backward.data());
    pack_forward_weights(cpu, Direction::twin_shape(test), at.weights.cpu.data(),
                         at.twin_forward.data());
    pack_backward_weights(cpu, Direction::twin_shape(test), at.weights.cpu.data(),
                          at.twin_backward.data());
  }

  const int run = test.run_steps > 0 ? test.run_steps : test.steps;
  const int runs = (test.steps + run - 1) / run;
  const auto step_run = [&](int i, bool from_the_end) {
    const int which = from_the_end ? runs - 1 - i : i;
    return std::pair(which * run, std::min(test.steps, (which + 1) * run));
  };
  const auto gates_of = [&](const GuardedBuffer& memory, const Direction& at, int begin,
                            std::size_t size) {
    return static_cast<unsigned char*>(memory.data()) +
           static_cast<std::size_t>(on_cpu.view().host_offsets[begin] * at.slots * at.hidden) *
               size;
  };

  for (int i = 0; i < runs; ++i) {
    std::vector<PersistentForwardArgs> args;
    for (int d = 0; d < test.directions; ++d) {
      Direction& at = *directions[d];
      const auto [begin, end] = step_run(i, d == 1);
      RecurrenceForwardArgs twin{.shape = Direction::twin_shape(test),
                                 .sequences = on_cpu.view(),
                                 .reverse = d == 1,
                                 .begin = begin,
                                 .end = end,
                                 .gates = gates_of(at.x.cpu, at, begin, 4),
                                 .bias = at.bias.cpu.data(),
                                 .packed = at.twin_forward.data(),
                                 .h_state = at.h_state.cpu.data(),
                                 .c_state = at.c_state.cpu.data(),
                                 .c = at.c.cpu.data(),
                                 .h = at.h.cpu.data(),
                                 .ldh = at.hidden + 3,
                                 .mask = request.options ? at.mask.data() : nullptr,
                                 .scratch = at.scratch.data()};
      recurrence_forward(cpu, twin);
      RecurrenceForwardArgs own = twin;
      own.shape = request.shape;
      own.sequences = on_gpu.view();
      own.gates = gates_of(at.x.gpu, at, begin, size_of(test.arithmetic.type));
      own.bias = at.bias.gpu.data();
      own.packed = at.packed_forward.data();
      own.h_state = at.h_state.gpu.data();
      own.c_state = at.c_state.gpu.data();
      own.c = at.c.gpu.data();
      own.h = at.h.gpu.data();
      own.mask = own.scratch = nullptr;
      own.draws.recurrent_dropout = {test.dropout, random[d]};
      args.push_back({own, at.exchange_forward.data()});
    }
    persistent_forward(gpu, forward_fit, args.data());
  }
  const double allowed = test.arithmetic.allowed;
  for (const auto& at : directions) {
    SCOPED_TRACE(at == directions.front() ? "forward direction" : "reverse direction");
    expect_close("h", at->h.on_gpu(), at->h.on_cpu(), allowed);
    expect_close("gates", at->x.on_gpu(), at->x.on_cpu(), allowed);
    expect_close("h_state", at->h_state.on_gpu(), at->h_state.on_cpu(), allowed);
    if (has_cell_state(test.cell)) {
      expect_close("c", at->c.on_gpu(), at->c.on_cpu(), allowed);
      expect_close("c_state", at->c_state.on_gpu(), at->c_state.on_cpu(), allowed);
    }
    at->x.take_from_gpu();
    at->h.take_from_gpu();
    at->c.take_from_gpu();
  }
  if (testing::Test::HasFatalFailure()) return;

  for (int i = 0; i < runs; ++i) {
    std::vector<PersistentBackwardArgs> args;
    for (int d = 0; d < test.directions; ++d) {
      Direction& at = *directions[d];
      const auto [begin, end] = step_run(i, d == 0);
      RecurrenceBackwardArgs twin{.shape = Direction::twin_shape(test),
                                  .sequences = on_cpu.view(),
                                  .reverse = d == 1,
                                  .begin = begin,
                                  .end = end,
                                  .gates = gates_of(at.x.cpu, at, begin, 4),
                                  .packed = at.twin_backward.data(),
                                  .h_initial = at.h_initial.cpu.data(),
                                  .c_initial = at.c_initial.cpu.data(),
                                  .h = at.h.cpu.data(),
                                  .ldh = at.hidden + 3,
                                  .c = at.c.cpu.data(),
                                  .dy = at.dy.cpu.data(),
                                  .lddy = at.hidden + 1,
                                  .dh_state = at.dh.cpu.data(),
                                  .dc_state = at.dc.cpu.data(),
                                  .mask = request.options ? at.mask.data() : nullptr,
                                  .scratch = at.scratch.data()};
      if (test.batch == 3) twin.dy = nullptr;
      recurrence_backward(cpu, twin);
      RecurrenceBackwardArgs own = twin;
      own.shape = request.shape;
      own.sequences = on_gpu.view();
      own.gates = gates_of(at.x.gpu, at, begin, size_of(test.arithmetic.type));
      own.packed = at.packed_backward.data();
      own.h_initial = at.h_initial.gpu.data();
      own.c_initial = at.c_initial.gpu.data();
      own.h = at.h.gpu.data();
      own.c = at.c.gpu.data();
      own.dy = twin.dy == nullptr ? nullptr : at.dy.gpu.data();
      own.dh_state = at.dh.gpu.data();
      own.dc_state = at.dc.gpu.data();
      own.mask = own.scratch = nullptr;
      own.draws.recurrent_dropout = {test.dropout, random[d]};
      args.push_back({own, at.exchange_backward.data()});
    }
    persistent_backward(gpu, backward_fit, args.data());
  }
  for (const auto& at : directions) {
    SCOPED_TRACE(at == directions.front() ? "forward direction" : "reverse direction");
    expect_close("gradients by the gates", at->x.on_gpu(), at->x.on_cpu(), allowed);
    expect_close("dh", at->dh.on_gpu(), at->dh.on_cpu(), allowed);
    if (has_cell_state(test.cell)) expect_close("dc", at->dc.on_gpu(), at->dc.on_cpu(), allowed);
    for (const Tensor* tensor :
         {&at->weights, &at->x, &at->h, &at->c, &at->h_state, &at->dh, &at->dc}) {
      EXPECT_TRUE(tensor->gpu.guards_intact());
    }
    EXPECT_TRUE(at->packed_forward.guards_intact() && at->packed_backward.guards_intact());
    EXPECT_TRUE(at->exchange_forward.guards_intact() && at->exchange_backward.guards_intact());
  }
}

using enum PersistentKind;

// Sizes that fill tiles, chunks and blocks badly, and one or two that fill them well; every cell,
// type and number of row tiles; one warp and many; weights in registers alone and in shared memory
// too.
INSTANTIATE_TEST_SUITE_P(
    Block, Persistent,
    testing::Values(
        Case{block, Cell::lstm, ieee, 1, 1, 1}, Case{block, Cell::lstm, ieee, 3, 17, 7},
        Case{block, Cell::lstm, ieee, 17, 34, 2}, Case{block, Cell::gru, ieee, 3, 34, 7},
        Case{block, Cell::rnn_tanh, ieee, 3, 17, 7}, Case{block, Cell::rnn_relu, ieee, 9, 34, 2},
        Case{block, Cell::lstm, ieee, 9, 17, 7, 0.4}, Case{block, Cell::gru, ieee, 3, 17, 2, 0.4},
        Case{block, Cell::lstm, ieee, 9, 17, 7, 0.0, 3},
        Case{block, Cell::gru, ieee, 9, 17, 7, 0.0, 2, 1},
        Case{block, Cell::lstm, bfloat16, 1, 1, 1}, Case{block, Cell::lstm, bfloat16, 9, 17, 7},
        Case{block, Cell::lstm, bfloat16, 3, 160, 2}, Case{block, Cell::gru, bfloat16, 3, 34, 7},
        Case{block, Cell::gru, bfloat16, 1, 130, 2},
        Case{block, Cell::rnn_tanh, bfloat16, 3, 34, 2},
        Case{block, Cell::lstm, bfloat16, 3, 34, 2, 0.4},
        Case{block, Cell::gru, bfloat16, 3, 17, 2, 0.4}, Case{block, Cell::lstm, float16, 3, 34, 7},
        Case{block, Cell::gru, float16, 9, 17, 2}, Case{block, Cell::lstm, tf32, 3, 34, 7},
        Case{block, Cell::gru, tf32, 9, 17, 2}, Case{block, Cell::rnn_relu, tf32, 3, 17, 2, 0.4}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(Cluster, Persistent,
                         testing::Values(Case{cluster, Cell::lstm, ieee, 3, 34, 7},
                                         Case{cluster, Cell::gru, ieee, 9, 34, 2},
                                         Case{cluster, Cell::lstm, ieee, 3, 34, 2, 0.4},
                                         Case{cluster, Cell::rnn_tanh, bfloat16, 3, 34, 2},
                                         Case{cluster, Cell::lstm, bfloat16, 3, 130, 2, 0.0, 0, 1},
                                         Case{cluster, Cell::lstm, bfloat16, 9, 34, 7, 0.0, 3},
                                         Case{cluster, Cell::gru, bfloat16, 3, 34, 2, 0.4},
                                         Case{cluster, Cell::gru, float16, 3, 66, 2},
                                         Case{cluster, Cell::lstm, tf32, 3, 34, 7}),
                         name_of_case);

INSTANTIATE_TEST_SUITE_P(Grid, Persistent,
                         testing::Values(Case{grid, Cell::lstm, ieee, 3, 34, 7},
                                         Case{grid, Cell::gru, bfloat16, 9, 34, 2},
                                         Case{grid, Cell::lstm, bfloat16, 9, 34, 7, 0.0, 3},
                                         Case{grid, Cell::rnn_relu, float16, 3, 34, 2},
                                         Case{grid, Cell::lstm, tf32, 3, 34, 1},
                                         Case{grid, Cell::lstm, bfloat16, 9, 34, 2, 0.4},
                                         Case{grid, Cell::gru, ieee, 3, 34, 7, 0.4, 3},
                                         Case{grid, Cell::rnn_tanh, tf32, 3, 34, 2, 0.4},
                                         Case{grid, Cell::lstm, bfloat16, 19, 34, 3, 0.0, 2, 2, 1},
                                         Case{grid, Cell::gru, float16, 3, 34, 2, 0.4},
                                         Case{grid, Cell::lstm, tf32, 3, 530, 1, 0.0, 0, 1},
                                         Case{grid, Cell::lstm, bfloat16, 720, 34, 2, 0.0, 0, 1},
                                         Case{grid, Cell::gru, float16, 720, 34, 1, 0.0, 0, 1}),
                         name_of_case);

}  // namespace
}  // namespace sluice::test
