// The element-wise half of one time step: one thread a unit of a row.
#include "kernels/time_loops/cell_step.h"

#include "kernels/base/number.h"
#include "kernels/cells/gru.h"
#include "kernels/cells/lstm.h"
#include "kernels/cells/rnn.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

/// The arguments of cell_step.h with their number types; the same names and shapes.
template <class T>
struct Forward {
  std::int64_t rows, batch, hidden_size, ldh;
  T* gates;
  const Wide<T>* bias;
  Wide<T>* h_state;
  Wide<T>* c_state;
  T* c;
  T* h;
  const T* mask;
  T* h_operand;

  explicit Forward(const CellStepForwardArgs& args)
      : rows(args.rows),
        batch(args.batch),
        hidden_size(args.hidden_size),
        ldh(args.ldh),
        gates(static_cast<T*>(args.gates)),
        bias(static_cast<const Wide<T>*>(args.bias)),
        h_state(static_cast<Wide<T>*>(args.h_state)),
        c_state(static_cast<Wide<T>*>(args.c_state)),
        c(static_cast<T*>(args.c)),
        h(static_cast<T*>(args.h)),
        mask(static_cast<const T*>(args.mask)),
        h_operand(static_cast<T*>(args.h_operand)) {}
};

template <class T>
struct Backward {
  std::int64_t rows, batch, hidden_size, ldh, previous_rows, lddy;
  T* gates;
  const T* h_previous;
  const T* c_previous;
  const Wide<T>* h_initial;
  const Wide<T>* c_initial;
  const T* c;
  const T* dy;
  Wide<T>* dh_state;
  Wide<T>* dc_state;
  const T* mask;
  const Wide<T>* dq;

  explicit Backward(const CellStepBackwardArgs& args)
      : rows(args.rows),
        batch(args.batch),
        hidden_size(args.hidden_size),
        ldh(args.ldh),
        previous_rows(args.previous_rows),
        lddy(args.lddy),
        gates(static_cast<T*>(args.gates)),
        h_previous(static_cast<const T*>(args.h_previous)),
        c_previous(static_cast<const T*>(args.c_previous)),
        h_initial(static_cast<const Wide<T>*>(args.h_initial)),
        c_initial(static_cast<const Wide<T>*>(args.c_initial)),
        c(static_cast<const T*>(args.c)),
        dy(static_cast<const T*>(args.dy)),
        dh_state(static_cast<Wide<T>*>(args.dh_state)),
        dc_state(static_cast<Wide<T>*>(args.dc_state)),
        mask(static_cast<const T*>(args.mask)),
        dq(static_cast<const Wide<T>*>(args.dq)) {}
};

/// Calls body(row, unit) once for each element of [rows, hidden_size]; neighbouring threads take
/// neighbouring units, so that every access is coalesced. The grid is as wide as H needs.
template <class Body>
__device__ __forceinline__ void for_each_unit(std::int64_t rows, std::int64_t hidden_size,
                                              Body body) {
  const std::int64_t unit = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (unit >= hidden_size) return;
#pragma unroll 1  // one turn is the rule; more in flight only cost registers
  for (std::int64_t row = std::int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < rows;
       row += std::int64_t{gridDim.y} * blockDim.y) {
    body(row, unit);
  }
}

template <int slots, class T>
__device__ __forceinline__ void load_slots(const T* gates, std::int64_t hidden_size,
                                           Wide<T> gate[slots]) {
#pragma unroll
  for (int s = 0; s < slots; ++s) gate[s] = widen(gates[s * hidden_size]);
}

template <int slots, class T>
__device__ __forceinline__ void store_slots(T* gates, std::int64_t hidden_size,
                                            const Wide<T> gate[slots]) {
#pragma unroll
  for (int s = 0; s < slots; ++s) gates[s * hidden_size] = narrow<T>(gate[s]);
}

/// Adds the bias to slots [first, last).
template <int first, int last, class T>
__device__ __forceinline__ void add_bias(const T* bias, std::int64_t hidden_size, std::int64_t unit,
                                         T* gate) {
  if (bias == nullptr) return;
#pragma unroll
  for (int s = first; s < last; ++s) gate[s] += bias[s * hidden_size + unit];
}

/// Writes the new h of one unit wherever it is wanted.
template <int gates, bool masked, class T>
__device__ __forceinline__ void store_h(const Forward<T>& step, std::int64_t row, std::int64_t unit,
                                        Wide<T> h) {
  const std::int64_t at = row * step.hidden_size + unit;
  step.h_state[at] = h;
  if (step.h != nullptr) step.h[row * step.ldh + unit] = narrow<T>(h);
  if constexpr (masked) {
    const std::int64_t plane = step.batch * step.hidden_size;
#pragma unroll
    for (int g = 0; g < gates; ++g) {
      step.h_operand[g * plane + at] = narrow<T>(widen(step.mask[g * plane + at]) * h);
    }
  } else if constexpr (sizeof(T) == 2) {
    if (step.h_operand != nullptr) step.h_operand[at] = narrow<T>(h);
  }
}

/// The mask's factor for gate n, the third, of a GRU whose reset comes before the product.
template <bool masked, class T>
__device__ __forceinline__ Wide<T> reset_mask(const T* mask, std::int64_t batch,
                                              std::int64_t hidden_size, std::int64_t at) {
  if constexpr (masked) {
    return widen(mask[2 * batch * hidden_size + at]);
  } else {
    return Wide<T>(1);
  }
}

template <class CellType, bool masked, class T>
__global__ void __launch_bounds__(256) forward_kernel(Forward<T> step) {
  constexpr int slots = CellType::slots;
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t at = row * step.hidden_size + unit;
    T* const gates = step.gates + row * slots * step.hidden_size + unit;
    Wide<T> gate[slots], h;
    load_slots<slots>(gates, step.hidden_size, gate);
    add_bias<0, slots>(step.bias, step.hidden_size, unit, gate);
    if constexpr (CellType::gates == 4) {
      Wide<T> c;
      CellType::forward(gate, step.c_state[at], c, h);
      step.c_state[at] = c;
      if (step.c != nullptr) step.c[at] = narrow<T>(c);
    } else if constexpr (CellType::gates == 3) {
      CellType::forward(gate, step.h_state[at], h);
    } else {
      CellType::forward(gate, h);
    }
    store_slots<slots>(gates, step.hidden_size, gate);
    store_h<CellType::gates, masked>(step, row, unit, h);
  });
}

/// GRU reset-before: r, z and q.
template <bool masked, class T>
__global__ void __launch_bounds__(256) forward_reset_kernel(Forward<T> step) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * 4 * H + unit;
    Wide<T> gate[4];
    load_slots<2>(gates, H, gate);
    add_bias<0, 2>(step.bias, H, unit, gate);
    const Wide<T> m = reset_mask<masked>(step.mask, step.batch, H, at);
    GruResetBeforeCell::forward_reset(gate, m * step.h_state[at]);
    store_slots<2>(gates, H, gate);
    gates[3 * H] = narrow<T>(gate[3]);
  });
}

/// GRU reset-before: n and h.
template <bool masked, class T>
__global__ void __launch_bounds__(256) forward_output_kernel(Forward<T> step) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size;
    T* const gates = step.gates + row * 4 * H + unit;
    Wide<T> gate[4], h;
    gate[1] = widen(gates[H]);
    gate[2] = widen(gates[2 * H]);
    add_bias<2, 3>(step.bias, H, unit, gate);
    GruResetBeforeCell::forward_output(gate, step.h_state[row * H + unit], h);
    gates[2 * H] = narrow<T>(gate[2]);
    store_h<3, masked>(step, row, unit, h);
  });
}

/// The state before this step: the step before's, or the initial one for rows that begin here.
template <class T>
__device__ __forceinline__ Wide<T> previous_state(const T* previous, std::int64_t ld,
                                                  const Wide<T>* initial, std::int64_t hidden_size,
                                                  std::int64_t previous_rows, std::int64_t row,
                                                  std::int64_t unit) {
  return row < previous_rows ? widen(previous[row * ld + unit]) : initial[row * hidden_size + unit];
}

/// The whole gradient by h: from later steps and from the layer's output.
template <class T>
__device__ __forceinline__ Wide<T> gradient_of_h(const Backward<T>& step, std::int64_t row,
                                                 std::int64_t unit) {
  const Wide<T> later = step.dh_state[row * step.hidden_size + unit];
  return step.dy == nullptr ? later : later + widen(step.dy[row * step.lddy + unit]);
}

template <class CellType, class T>
__global__ void __launch_bounds__(256) backward_kernel(Backward<T> step) {
  constexpr int slots = CellType::slots;
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * slots * H + unit;
    Wide<T> gate[slots];
    load_slots<slots>(gates, H, gate);
    const Wide<T> dh = gradient_of_h(step, row, unit);
    Wide<T> dh_direct = Wide<T>(0);
    if constexpr (CellType::gates == 4) {
      const Wide<T> c_prev =
          previous_state(step.c_previous, H, step.c_initial, H, step.previous_rows, row, unit);
      Wide<T> dc = step.dc_state[at];
      CellType::backward(gate, c_prev, widen(step.c[at]), dh, dc);
      step.dc_state[at] = dc;
    } else if constexpr (CellType::gates == 3) {
      const Wide<T> h_prev = previous_state(step.h_previous, step.ldh, step.h_initial, H,
                                            step.previous_rows, row, unit);
      CellType::backward(gate, h_prev, dh, dh_direct);
    } else {
      CellType::backward(gate, dh);
    }
    store_slots<slots>(gates, H, gate);
    step.dh_state[at] = dh_direct;
  });
}

/// GRU reset-before: gradients by z, n and, directly, by h_prev.
template <class T>
__global__ void __launch_bounds__(256) backward_output_kernel(Backward<T> step) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size;
    T* const gates = step.gates + row * 4 * H + unit;
    Wide<T> gate[4], dh_direct;
    load_slots<3>(gates, H, gate);
    const Wide<T> h_prev =
        previous_state(step.h_previous, step.ldh, step.h_initial, H, step.previous_rows, row, unit);
    GruResetBeforeCell::backward_output(gate, h_prev, gradient_of_h(step, row, unit), dh_direct);
    gates[H] = narrow<T>(gate[1]);
    gates[2 * H] = narrow<T>(gate[2]);
    step.dh_state[row * H + unit] = dh_direct;
  });
}

/// GRU reset-before: the gradient by r, and by h_prev through q.
template <bool masked, class T>
__global__ void __launch_bounds__(256) backward_reset_kernel(Backward<T> step) {
  for_each_unit(step.rows, step.hidden_size, [&](std::int64_t row, std::int64_t unit) {
    const std::int64_t H = step.hidden_size, at = row * H + unit;
    T* const gates = step.gates + row * 4 * H + unit;
    const Wide<T> h_prev =
        previous_state(step.h_previous, step.ldh, step.h_initial, H, step.previous_rows, row, unit);
    const Wide<T> m = reset_mask<masked>(step.mask, step.batch, H, at);
    Wide<T> gate[4], dh_masked;
    gate[0] = widen(gates[0]);
    GruResetBeforeCell::backward_reset(gate, m * h_prev, step.dq[at], dh_masked);
    gates[0] = narrow<T>(gate[0]);
    step.dh_state[at] += m * dh_masked;
  });
}

/// Blocks of 256 threads: as many units wide as H needs, then rows.
LaunchConfig launch_config(const Queue& queue, std::int64_t rows, std::int64_t hidden_size) {
  constexpr std::int64_t threads = 256, warp = 32, most_row_blocks = 4096;
  std::int64_t width = warp;
  while (width < hidden_size && width < threads) width *= 2;
  const std::int64_t height = threads / width;
  const std::int64_t across = (hidden_size + width - 1) / width;
  const std::int64_t down = std::min(most_row_blocks, (rows + height - 1) / height);
  return {.grid = {static_cast<unsigned>(across), static_cast<unsigned>(down)},
          .block = {static_cast<unsigned>(width), static_cast<unsigned>(height)},
          .stream = queue.stream};
}

template <bool masked, class T>
void forward(const LaunchConfig& config, const CellStepForwardArgs& args, CellPhase phase) {
  const Forward<T> step(args);
  switch (args.cell) {
    case Cell::rnn_tanh: return launch(forward_kernel<RnnCell<false>, masked, T>, config, step);
    case Cell::rnn_relu: return launch(forward_kernel<RnnCell<true>, masked, T>, config, step);
    case Cell::lstm: return launch(forward_kernel<LstmCell, masked, T>, config, step);
    case Cell::gru: return launch(forward_kernel<GruCell, masked, T>, config, step);
    case Cell::gru_reset_before:
      return phase == CellPhase::operand ? launch(forward_reset_kernel<masked, T>, config, step)
                                         : launch(forward_output_kernel<masked, T>, config, step);
  }
}

template <class T>
void backward(const LaunchConfig& config, const CellStepBackwardArgs& args, CellPhase phase) {
  const Backward<T> step(args);
  switch (args.cell) {
    case Cell::rnn_tanh: return launch(backward_kernel<RnnCell<false>, T>, config, step);
    case Cell::rnn_relu: return launch(backward_kernel<RnnCell<true>, T>, config, step);
    case Cell::lstm: return launch(backward_kernel<LstmCell, T>, config, step);
    case Cell::gru: return launch(backward_kernel<GruCell, T>, config, step);
    case Cell::gru_reset_before:
      if (phase == CellPhase::output) return launch(backward_output_kernel<T>, config, step);
      return args.mask != nullptr ? launch(backward_reset_kernel<true, T>, config, step)
                                  : launch(backward_reset_kernel<false, T>, config, step);
  }
}

template <class T>
void forward(const LaunchConfig& config, const CellStepForwardArgs& args, CellPhase phase) {
  args.mask != nullptr ? forward<true, T>(config, args, phase)
                       : forward<false, T>(config, args, phase);
}

}  // namespace

void cell_step_forward(const Queue& queue, const CellStepForwardArgs& args, CellPhase phase) {
  const LaunchConfig config = launch_config(queue, args.rows, args.hidden_size);
  with_number(args.type, [&]<class T>(T) { forward<T>(config, args, phase); });
}

void cell_step_backward(const Queue& queue, const CellStepBackwardArgs& args, CellPhase phase) {
  const LaunchConfig config = launch_config(queue, args.rows, args.hidden_size);
  with_number(args.type, [&]<class T>(T) { backward<T>(config, args, phase); });
}

}  // namespace sluice::cuda
