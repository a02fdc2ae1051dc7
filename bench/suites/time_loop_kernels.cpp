// Products at the shapes that layers have, the cell steps, and the CPU's time loop in one launch.
#include "bench/suites/kernel_bench.h"
#include "engine/sequence_layout.h"
#include "kernels/arrays/gemm.h"
#include "kernels/device/device.h"
#include "kernels/time_loops/cell_step.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice::bench {
namespace {

constexpr std::int64_t kNumber = sizeof(float);

std::string shape(std::initializer_list<std::pair<const char*, std::int64_t>> sizes) {
  std::string text;
  for (const auto& [name, size] : sizes) text += "/" + std::string(name) + std::to_string(size);
  return text;
}

struct ProductShape {
  const char* name;
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
};

KernelBench product(const ProductShape& s) {
  KernelBench bench;
  bench.name = std::string("gemm_") + s.name + shape({{"m", s.m}, {"n", s.n}, {"k", s.k}});
  bench.flops =
      2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
  bench.bytes = static_cast<double>(kNumber * (s.m * s.k + s.k * s.n + s.m * s.n));
  bench.prepare = [s](const Queue& queue) -> Pass {
    auto a = random_buffer(queue, s.m * s.k), b = random_buffer(queue, s.k * s.n);
    auto c = buffer(queue, static_cast<std::size_t>(kNumber * s.m * s.n));
    return [=](std::uint64_t) {
      gemm(queue, {.transpose_a = s.transpose_a,
                   .transpose_b = s.transpose_b,
                   .m = s.m,
                   .n = s.n,
                   .k = s.k,
                   .a = a->data(),
                   .lda = s.transpose_a ? s.m : s.k,
                   .b = b->data(),
                   .ldb = s.transpose_b ? s.k : s.n,
                   .c = c->data(),
                   .ldc = s.n});
    };
  };
  return bench;
}

KernelBench cell_forward(Cell cell, std::int64_t b, std::int64_t h) {
  KernelBench bench;
  const std::int64_t slots = slot_count(cell), cell_states = has_cell_state(cell) ? 3 : 0;
  bench.name = std::string("cell_step_forward_") + name_of(cell) + shape({{"B", b}, {"H", h}});
  bench.bytes = static_cast<double>(kNumber * b * h * (2 * slots + 3 + cell_states));
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto gates = random_buffer(queue, b * slots * h), bias = random_buffer(queue, slots * h);
    auto h_state = random_buffer(queue, b * h), c_state = random_buffer(queue, b * h);
    auto c = buffer(queue, b * h * kNumber), out = buffer(queue, b * h * kNumber);
    const bool has_c = has_cell_state(cell);
    return [=](std::uint64_t) {
      cell_step_forward(queue, {.cell = cell,
                                .rows = b,
                                .batch = b,
                                .hidden_size = h,
                                .gates = gates->data(),
                                .bias = bias->data(),
                                .h_state = h_state->data(),
                                .c_state = has_c ? c_state->data() : nullptr,
                                .c = has_c ? c->data() : nullptr,
                                .h = out->data(),
                                .ldh = h});
    };
  };
  return bench;
}

KernelBench cell_backward(Cell cell, std::int64_t b, std::int64_t h) {
  KernelBench bench;
  const std::int64_t slots = slot_count(cell), states = has_cell_state(cell) ? 4 : 1;
  bench.name = std::string("cell_step_backward_") + name_of(cell) + shape({{"B", b}, {"H", h}});
  bench.bytes = static_cast<double>(kNumber * b * h * (2 * slots + 3 + states));
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto gates = random_buffer(queue, b * slots * h), dy = random_buffer(queue, b * h);
    auto h_previous = random_buffer(queue, b * h), c_previous = random_buffer(queue, b * h);
    auto c = random_buffer(queue, b * h);
    auto dh = random_buffer(queue, b * h), dc = random_buffer(queue, b * h);
    return [=](std::uint64_t) {
      cell_step_backward(queue, {.cell = cell,
                                 .rows = b,
                                 .batch = b,
                                 .hidden_size = h,
                                 .gates = gates->data(),
                                 .h_previous = h_previous->data(),
                                 .ldh = h,
                                 .c_previous = c_previous->data(),
                                 .previous_rows = b,
                                 .h_initial = h_previous->data(),
                                 .c_initial = c_previous->data(),
                                 .c = c->data(),
                                 .dy = dy->data(),
                                 .lddy = h,
                                 .dh_state = dh->data(),
                                 .dc_state = dc->data()});
    };
  };
  return bench;
}

// The gates are taken as they come out of the launch before, activated: values in range, as real
// ones are.
struct LoopMemory {
  LoopMemory(const Queue& queue, Cell cell, std::int32_t steps, std::int32_t batch, std::int64_t h)
      : layout(SequenceLayout::equal(steps, batch)), recurrence{.cell = cell, .hidden_size = h} {
    const std::int64_t rows = std::int64_t{steps} * batch, slots = slot_count(cell);
    gates = random_buffer(queue, rows * slots * h);
    weights = random_buffer(queue, gate_count(cell) * h * h);
    bias = random_buffer(queue, slots * h);
    for (auto* state : {&h_state, &c_state, &dh_state, &dc_state})
      *state = buffer(queue, batch * h * kNumber);
    for (auto* sequence : {&c, &y, &dy}) *sequence = random_buffer(queue, rows * h);
    packed = buffer(queue, recurrence_weight_bytes(recurrence));
    scratch = buffer(queue, recurrence_scratch_bytes(recurrence, batch));
  }

  SequenceLayout layout;
  RecurrenceShape recurrence;
  std::shared_ptr<Buffer> gates, weights, bias, h_state, c_state, dh_state, dc_state, c, y, dy,
      packed, scratch;
};

KernelBench time_loop(Cell cell, std::int32_t steps, std::int32_t batch, std::int64_t h,
                      bool backward) {
  KernelBench bench;
  const double rows = static_cast<double>(steps) * batch, states = has_cell_state(cell) ? 2 : 1;
  bench.name = std::string(backward ? "recurrence_backward_" : "recurrence_forward_") +
               name_of(cell) + shape({{"T", steps}, {"B", batch}, {"H", h}});
  bench.flops = 2 * rows * gate_count(cell) * static_cast<double>(h * h);
  bench.bytes = static_cast<double>(kNumber * h) * rows *
                (2 * slot_count(cell) + states + (backward ? 1 : 0));
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto m = std::make_shared<LoopMemory>(queue, cell, steps, batch, h);
    const bool has_c = has_cell_state(cell);
    if (backward) {
      return [=](std::uint64_t) {
        pack_backward_weights(queue, m->recurrence, m->weights->data(), m->packed->data());
        recurrence_backward(queue, {.shape = m->recurrence,
                                    .sequences = m->layout.host_view(),
                                    .end = steps,
                                    .gates = m->gates->data(),
                                    .packed = m->packed->data(),
                                    .h_initial = m->h_state->data(),
                                    .c_initial = has_c ? m->c_state->data() : nullptr,
                                    .h = m->y->data(),
                                    .ldh = h,
                                    .c = has_c ? m->c->data() : nullptr,
                                    .dy = m->dy->data(),
                                    .lddy = h,
                                    .dh_state = m->dh_state->data(),
                                    .dc_state = has_c ? m->dc_state->data() : nullptr,
                                    .scratch = m->scratch->data()});
      };
    }
    return [=](std::uint64_t) {
      pack_forward_weights(queue, m->recurrence, m->weights->data(), m->packed->data());
      recurrence_forward(queue, {.shape = m->recurrence,
                                 .sequences = m->layout.host_view(),
                                 .end = steps,
                                 .training = true,
                                 .gates = m->gates->data(),
                                 .bias = m->bias->data(),
                                 .packed = m->packed->data(),
                                 .h_state = m->h_state->data(),
                                 .c_state = has_c ? m->c_state->data() : nullptr,
                                 .c = has_c ? m->c->data() : nullptr,
                                 .h = m->y->data(),
                                 .ldh = h,
                                 .scratch = m->scratch->data()});
    };
  };
  return bench;
}

}  // namespace

std::vector<KernelBench> time_loop_kernels(bool small, DeviceKind device) {
  const std::int64_t h = small ? 128 : 1024, b = 64, rows = (small ? 16 : 64) * b;
  std::vector<KernelBench> all;
  for (const ProductShape& each : {ProductShape{"input", rows, 4 * h, h, false, true},
                                   ProductShape{"step", b, 4 * h, h, false, true},
                                   ProductShape{"dx", rows, h, 4 * h, false, false},
                                   ProductShape{"dw", 4 * h, h, rows, true, false}}) {
    all.push_back(product(each));
  }
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    all.push_back(cell_forward(cell, b, h));
    all.push_back(cell_backward(cell, b, h));
    if (device == DeviceKind::cpu) {
      all.push_back(time_loop(cell, 50, 64, h, false));
      all.push_back(time_loop(cell, 50, 64, h, true));
    }
  }
  return all;
}

}  // namespace sluice::bench
