// The forward pass of a run of time steps in one launch, R stationary on the SMs
// (kernels/time_loops/persistent/persistent.h). Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/alike_cells.h"
#include "kernels/time_loops/persistent/draws.h"

namespace sluice::cuda {

/// As in RecurrenceForwardArgs.
template <class Number>
struct ForwardDirection : GroupDirection {
  Number* gates;
  std::int32_t first_packed_row;  ///< that of `gates`
  const Number* inputs;           ///< null: the gates hold them
  const std::int32_t* input_index;
  const float* bias;
  float* h_state;
  float* c_state;
  Number* c;  ///< null unless training a cell that has one
  const Number* unit_weights;
  Number* h;
  std::int64_t ldh;
};

template <class Number>
struct ForwardLaunch : GroupLaunch {
  bool training;
  ForwardDirection<Number> direction[2];
};

/// One thread's elements on their way through the steps: their state never leaves registers.
template <class Cell, class Product, class Tiling, bool options>
class ForwardElements {
  using Number = typename Product::Number;
  static constexpr int gates = Cell::spec.gates, slots = Cell::spec.slots;
  static constexpr int states = Cell::spec.states, unit_weights = Cell::spec.unit_weights;
  static constexpr int count = Tiling::elements, numbers = Wrapped<Cell>::numbers;
  static constexpr int rows = count < 2 ? 1 : 2;  // that its elements have by turns
  static_assert(count <= 4);
  /// Eight warps to a tile leave no registers for biases: they are read at each step.
  static constexpr bool keeps_bias = Tiling::split < 8;

 public:
  __device__ ForwardElements(const ForwardLaunch<Number>& launch,
                             const ForwardDirection<Number>& direction,
                             const RowGroup<Tiling>& group, const Elements<Tiling>& place)
      : launch_(launch), direction_(direction), group_(group), place_(place) {
    const int hidden = launch.hidden_size;
#pragma unroll
    for (int e = 0; e < count; ++e) {
      const int unit = place.unit(e), row = place.row(e);
      const bool exists = unit < hidden && row < group.rows;
      length_[e] = exists ? launch.lengths[group.first_row + row] : 0;
      const std::int64_t at = std::int64_t{group.first_row + row} * hidden + unit;
      state_[e][0] = exists ? direction.h_state[at] : 0.0f;
      if constexpr (states > 1) state_[e][1] = exists ? direction.c_state[at] : 0.0f;
      if constexpr (keeps_bias) {
        for_each_index<slots>([&](auto s) {
          if constexpr (has_bias<s>) {
            bias_[e][s] = unit < hidden ? direction.bias[s * hidden + unit] : 0.0f;
          }
        });
      }
    }
    if (group.steps == 0) return;
    next_offset_ = launch.offsets[group.step(direction, 0)];
    later_offset_ = launch.offsets[group.step(direction, group.steps > 1 ? 1 : 0)];
    ask_for_rows(0);
    load_inputs(0);
  }

  /// Asks for x W^T of step `s`, which step() reads. What says where they are was asked
  /// for steps before, so that no load waits for another.
  __device__ __forceinline__ void load_inputs(int s) {
    if (s >= group_.steps) return;
    const std::int32_t t = group_.step(direction_, s);
    offset_ = next_offset_;
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (t >= length_[e]) continue;
      const Number* const x = inputs_of(e);
#pragma unroll
      for (int g = 0; g < gates; ++g) x_[e][g] = x[g * launch_.hidden_size];
    }
    next_offset_ = later_offset_;
    if (s + 1 < group_.steps) ask_for_rows(s + 1);
    if (s + 2 < group_.steps) later_offset_ = launch_.offsets[group_.step(direction_, s + 2)];
  }

  /// What the options' draws decide at step `s`.
  __device__ __forceinline__ void draw(int s) {
    if (!options || !direction_.draws.needs_bits()) return;
    bits_ =
        draw_bits<numbers>(launch_, direction_.draws, group_, place_, group_.step(direction_, s));
  }

  /// The cell: `sums` are the products R h.
  __device__ __forceinline__ void step(int s, const float (&sums)[count][gates]) {
    const std::int32_t t = group_.step(direction_, s);
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (t >= length_[e]) continue;
      Unit<Cell, float> unit = {};
      for_each_index<slots>([&](auto slot) { unit.slot[slot] = sum_of<slot>(e, sums[e]); });
      for_each_index<states>([&](auto i) { unit.previous[i] = state_[e][i]; });
      for_each_index<unit_weights>([&](auto w) { unit.weight[w] = unit_weight(e, w); });
      with_equations<Cell>(launch_.cell, unit, [&]<class C>(C, Unit<C, float>& u) {
        C::forward(u);
        if (!options || !direction_.draws.wrap()) return;
        float drawn[numbers];
        numbers_of(direction_.draws, bits_, e, drawn);
        Wrapped<C>::after_forward(u, drawn);
      });
      for_each_index<slots>([&](auto slot) { slot_[e][slot] = unit.slot[slot]; });
      for_each_index<states>([&](auto i) { state_[e][i] = unit.state[i]; });
    }
  }

  __device__ float h(int e) const { return state_[e][0]; }

  /// Writes what the step gave to the arrays in memory.
  __device__ __forceinline__ void store(int s) const {
    const std::int32_t t = group_.step(direction_, s);
    const int hidden = launch_.hidden_size;
    Number* const kept = gates_of(offset_);
    const std::int64_t first = std::int64_t{offset_} + group_.first_row;
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (t >= length_[e]) continue;
      const int unit = place_.unit(e), row = place_.row(e);
      direction_.h[(first + row) * direction_.ldh + unit] = narrow<Number>(h(e));
      if (!launch_.training) continue;
#pragma unroll
      for (int slot = 0; slot < slots; ++slot) {
        kept[gate_place(e) + slot * hidden] = narrow<Number>(slot_[e][slot]);
      }
      if constexpr (states > 1) {
        direction_.c[(first + row) * hidden + unit] = narrow<Number>(state_[e][1]);
      }
    }
  }

  __device__ void store_state() const {
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (length_[e] == 0) continue;
      const std::int64_t at =
          std::int64_t{group_.first_row + place_.row(e)} * launch_.hidden_size + place_.unit(e);
      direction_.h_state[at] = state_[e][0];
      if constexpr (states > 1) direction_.c_state[at] = state_[e][1];
    }
  }

 private:
  template <int s>
  static constexpr bool has_bias = Cell::spec.slot[s].bias != SlotBias::none;

  /// What is added up in slot s of element e: x W^T, a bias, a product.
  template <int s>
  __device__ __forceinline__ float sum_of(int e, const float (&sums)[gates]) const {
    constexpr int product = Cell::spec.slot[s].recurrent;
    float sum = 0.0f;
    if constexpr (s < gates) sum = widen(x_[e][s]);
    if constexpr (has_bias<s>) sum = s < gates ? sum + bias(e, s) : bias(e, s);
    if constexpr (product >= 0)
      sum = s < gates || has_bias<s> ? sum + sums[product] : sums[product];
    return sum;
  }
  __device__ float bias(int e, int slot) const {
    if constexpr (keeps_bias) {
      return bias_[e][slot];
    } else {
      return direction_.bias[slot * launch_.hidden_size + place_.unit(e)];
    }
  }
  __device__ float unit_weight(int e, int which) const {
    return widen(direction_.unit_weights[which * launch_.hidden_size + place_.unit(e)]);
  }
  __device__ Number* gates_of(std::int32_t offset) const {
    const std::int64_t row = std::int64_t{offset} - direction_.first_packed_row + group_.first_row;
    return direction_.gates + row * slots * launch_.hidden_size;
  }
  /// Which rows of `inputs` step `s` reads, at next_offset_.
  __device__ __forceinline__ void ask_for_rows(int s) {
    if (direction_.input_index == nullptr) return;
    const std::int32_t t = group_.step(direction_, s);
#pragma unroll
    for (int e = 0; e < rows; ++e) {
      if (t >= length_[e]) continue;
      next_row_[e] = direction_.input_index[next_offset_ + group_.first_row + place_.row(e)];
    }
  }
  /// The current step's, of gate 0.
  __device__ const Number* inputs_of(int e) const {
    if (direction_.input_index == nullptr) return gates_of(offset_) + gate_place(e);
    return direction_.inputs + std::int64_t{next_row_[e % rows]} * gates * launch_.hidden_size +
           place_.unit(e);
  }
  __device__ int gate_place(int e) const {
    return place_.row(e) * slots * launch_.hidden_size + place_.unit(e);
  }

  const ForwardLaunch<Number>& launch_;
  const ForwardDirection<Number>& direction_;
  const RowGroup<Tiling>& group_;
  const Elements<Tiling>& place_;
  std::int32_t offset_ = 0, next_offset_ = 0, later_offset_ = 0;
  std::int32_t next_row_[rows] = {};  // of the shared inputs
  std::uint32_t bits_ = 0;            // of the options
  std::int32_t length_[count];        // 0 for what lies past the batch or the units
  Number x_[count][gates] = {};
  float slot_[count][slots] = {}, bias_[count][slots], state_[count][states];
};

template <class Cell, class Product, class Tiling, class Exchange, bool options>
__device__ __forceinline__ void forward_pass(
    const ForwardLaunch<typename Product::Number>& launch) {
  constexpr int gates = Cell::spec.gates;
  SLUICE_DYNAMIC_SHARED(unsigned char, memory);
  RowGroup<Tiling> group(launch);
  const auto& direction = launch.direction[group.direction];
  group.take_steps(launch, direction);
  if (group.steps == 0) return;

  const int hidden = launch.hidden_size;
  const geometry::StationaryShape shape = geometry::stationary_shape(
      PersistentMatrix::rows, hidden, gates, sizeof(typename Product::Operand));
  using Shared = SharedParts<Product, Tiling, gates>;
  const Shared shared(memory, shape, launch.tiles, launch.mask_planes);
  const int stride = shared.layout.stride;
  const WarpPlace place = WarpPlace::of_thread<Tiling>();
  const int tile = group.rank * launch.tiles + place.tile;
  const StationaryMatrix<Product, Tiling, gates> matrix(
      direction.packed, shape, tile, shared.weights(), shared.layout.shared_chunks, place);
  const Elements<Tiling> elements(place, tile);
  ForwardElements<Cell, Product, Tiling, options> state(launch, direction, group, elements);

  OperandMask<gates, Tiling::rows> mask;
  const bool masked = options && launch.mask_rate > 0.0f;
  if (masked) {
    mask = draw_mask<gates, Tiling::rows>(launch, direction.draws, group.first_row, group.rows,
                                          shared.layout.mask_words(shape), shared.masks());
  }

  Exchange exchange(
      columns_of<Product>(shape, stride, Tiling::rows, group.rows, group.rank, launch.tiles),
      {launch.first_group + group.number, group.rank, launch.blocks},
      {shared.barriers(), direction.exchange, direction.flags});
  shared.zero_operand();
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < group.rows * hidden;
       i += static_cast<int>(blockDim.x)) {
    const int row = i / hidden, unit = i - row * hidden;
    Shared::at(shared.operand(0), stride, row, unit) =
        Product::operand(direction.h_state[std::int64_t{group.first_row + row} * hidden + unit]);
  }
  exchange.start();

#pragma unroll 1
  for (int s = 0; s < group.steps; ++s) {
    state.draw(s);
    Sums<gates, Tiling::row_tiles> sums = {};
    if (masked) {
      matrix.template multiply<true>(sums, shared.operand(s), stride, mask);
    } else {
      matrix.template multiply<false>(sums, shared.operand(s), stride, mask);
    }
    float own[Tiling::elements][gates];
    add_up<Tiling, gates>(sums, shared.partial(place), place, own);
    if constexpr (options) {
#pragma unroll
      for (auto& of_element : own) {
#pragma unroll
        for (float& sum : of_element) sum *= launch.mask_scale;
      }
    }
    state.step(s, own);
    const bool more = s + 1 < group.steps;
    if (more) {
#pragma unroll
      for (int e = 0; e < Tiling::elements; ++e) {
        const int unit = elements.unit(e);
        if (unit < shape.unit_tiles * geometry::tile_units) {
          Shared::at(shared.operand(s + 1), stride, elements.row(e), unit) =
              Product::operand(state.h(e));
        }
      }
      exchange.begin(shared.operand(s + 1));
    }
    state.store(s);
    state.load_inputs(s + 1);
    if (more) exchange.finish(shared.operand(s + 1));
  }
  state.store_state();
}

template <class Cell, class Product, class Tiling, class Exchange, bool options>
__global__ void __launch_bounds__(Tiling::most_threads, 1)
    forward_kernel(const __grid_constant__ ForwardLaunch<typename Product::Number> launch) {
  forward_pass<Cell, Product, Tiling, Exchange, options>(launch);
}
/// With options, and fewer registers than its threads leave it: geometry::most_registers().
template <class Cell, class Product, class Tiling, class Exchange, int registers>
__global__ void __maxnreg__(registers)
    forward_kernel_within(const __grid_constant__ ForwardLaunch<typename Product::Number> launch) {
  forward_pass<Cell, Product, Tiling, Exchange, true>(launch);
}

}  // namespace sluice::cuda
