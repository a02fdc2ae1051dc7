// The backward pass of a run of time steps in one launch, R^T stationary on the SMs
// (kernels/time_loops/persistent/persistent.h). Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/alike_cells.h"
#include "kernels/time_loops/persistent/draws.h"

namespace sluice::cuda {

/// As in RecurrenceBackwardArgs.
template <class Number>
struct BackwardDirection : GroupDirection {
  Number* gates;
  const float* h_initial;
  const float* c_initial;
  const Number* h;
  std::int64_t ldh;
  const Number* c;
  const Number* unit_weights;
  const Number* dy;  ///< may be null
  std::int64_t lddy;
  float* dh_state;
  float* dc_state;
};

template <class Number>
struct BackwardLaunch : GroupLaunch {
  BackwardDirection<Number> direction[2];
};

/// One thread's elements on their way back through the steps.
template <class Cell, class Product, class Tiling, bool options>
class BackwardElements {
  using Number = typename Product::Number;
  static constexpr int slots = Cell::spec.slots, states = Cell::spec.states;
  static constexpr int unit_weights = Cell::spec.unit_weights, count = Tiling::elements;
  static constexpr int numbers = Wrapped<Cell>::numbers;
  /// Whether the cell's equations read state i of the step before.
  template <int i>
  static constexpr bool reads_previous = i > 0 || Cell::spec.reads_previous_h;
  static constexpr bool reads_some = states > 1 || Cell::spec.reads_previous_h;

 public:
  __device__ BackwardElements(const BackwardLaunch<Number>& launch,
                              const BackwardDirection<Number>& direction,
                              const RowGroup<Tiling>& group, const Elements<Tiling>& place)
      : launch_(launch),
        direction_(direction),
        group_(group),
        place_(place),
        first_packed_row_(launch.offsets[direction.begin]) {
    const int hidden = launch.hidden_size;
#pragma unroll
    for (int e = 0; e < count; ++e) {
      const int unit = place.unit(e), row = place.row(e);
      const bool exists = unit < hidden && row < group.rows;
      length_[e] = exists ? launch.lengths[group.first_row + row] : 0;
      const std::int64_t at = std::int64_t{group.first_row + row} * hidden + unit;
      d_state_[e][0] = exists ? direction.dh_state[at] : 0.0f;
      if constexpr (states > 1) d_state_[e][1] = exists ? direction.dc_state[at] : 0.0f;
    }
    load_offsets(0);
    load_inputs(0);
  }

  /// Asks for what forward kept of step `s`, which step(s) reads.
  __device__ __forceinline__ void load_inputs(int s) {
    if (s >= group_.steps) return;
    const std::int32_t t = group_.step(direction_, s);
    offset_ = next_offset_;
    const std::int32_t before = before_, before_offset = next_before_offset_;
    const int hidden = launch_.hidden_size;
    const Number* const kept = gates_of(offset_);
    const std::int64_t first = std::int64_t{offset_} + group_.first_row;
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (t >= length_[e]) continue;
      const int unit = place_.unit(e), row = place_.row(e);
#pragma unroll
      for (int slot = 0; slot < slots; ++slot) kept_[e][slot] = kept[gate_place(e) + slot * hidden];
      if (direction_.dy != nullptr) {
        dy_[e] = direction_.dy[(first + row) * direction_.lddy + unit];
      }
      if constexpr (states > 1) c_[e] = direction_.c[(first + row) * hidden + unit];
      if constexpr (reads_some) {
        // The state before: of the step before, or the initial one for a row that begins here.
        const bool continued = before >= 0 && before < length_[e];
        const std::int64_t packed = std::int64_t{before_offset} + group_.first_row + row;
        const std::int64_t initial = std::int64_t{group_.first_row + row} * hidden + unit;
        begins_[e] = !continued;
        if (continued) {
          if constexpr (reads_previous<0>) {
            previous_[e][0] = direction_.h[packed * direction_.ldh + unit];
          }
          if constexpr (states > 1) previous_[e][1] = direction_.c[packed * hidden + unit];
        } else {
          if constexpr (reads_previous<0>) initial_[e][0] = direction_.h_initial[initial];
          if constexpr (states > 1) initial_[e][1] = direction_.c_initial[initial];
        }
      }
    }
    load_offsets(s + 1);
  }

  /// What the options' draws decided at step `s`.
  __device__ __forceinline__ void draw(int s) {
    if (!options || !direction_.draws.needs_bits()) return;
    bits_ =
        draw_bits<numbers>(launch_, direction_.draws, group_, place_, group_.step(direction_, s));
  }

  /// The cell: gradients by the pre-activations, all but the part of dh that comes back through R.
  __device__ __forceinline__ void step(int s) {
    const std::int32_t t = group_.step(direction_, s);
#pragma unroll
    for (int e = 0; e < count; ++e) {
#pragma unroll
      for (int slot = 0; slot < slots; ++slot) slot_[e][slot] = 0.0f;
      if (t >= length_[e]) continue;
      Unit<Cell, float> unit = {};
      for_each_index<slots>([&](auto slot) { unit.slot[slot] = widen(kept_[e][slot]); });
      for_each_index<states>([&](auto i) {
        if constexpr (reads_previous<i>) {
          unit.previous[i] = begins_[e] ? initial_[e][i] : widen(previous_[e][i]);
        }
        unit.d_state[i] = d_state_[e][i];
      });
      if (direction_.dy != nullptr) unit.d_state[0] += widen(dy_[e]);
      if constexpr (states > 1) unit.state[1] = widen(c_[e]);
      for_each_index<unit_weights>([&](auto w) { unit.weight[w] = unit_weight(e, w); });
      with_equations<Cell>(launch_.cell, unit, [&]<class C>(C, Unit<C, float>& u) {
        const bool wrapped = options && direction_.draws.wrap();
        float kept[Wrapped<C>::kept_numbers] = {};
        if (wrapped) {
          float drawn[numbers];
          numbers_of(direction_.draws, bits_, e, drawn);
          Wrapped<C>::before_backward(u, drawn, kept);
        }
        C::backward(u);
        if (wrapped) Wrapped<C>::after_backward(u, kept);
      });
      for_each_index<slots>([&](auto slot) { slot_[e][slot] = unit.slot[slot]; });
      for_each_index<states>([&](auto i) { d_state_[e][i] = unit.d_state[i]; });
    }
  }

  /// What enters the product with R^T of gate g.
  template <int g>
  __device__ __forceinline__ float gradient(int e) const {
    return slot_[e][std::integral_constant<int, Cell::spec.slot_of_gate(g)>::value];
  }

  /// `sums`: dG R.
  __device__ __forceinline__ void add(int s, const float (&sums)[count][1]) {
    const std::int32_t t = group_.step(direction_, s);
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (t < length_[e]) d_state_[e][0] += sums[e][0];
    }
  }

  /// Writes the gradients over what forward kept.
  __device__ __forceinline__ void store(int s) const {
    const std::int32_t t = group_.step(direction_, s);
    Number* const kept = gates_of(offset_);
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (t >= length_[e]) continue;
#pragma unroll
      for (int slot = 0; slot < slots; ++slot) {
        kept[gate_place(e) + slot * launch_.hidden_size] = narrow<Number>(slot_[e][slot]);
      }
    }
  }

  __device__ void store_state() const {
#pragma unroll
    for (int e = 0; e < count; ++e) {
      if (length_[e] == 0) continue;
      const std::int64_t at =
          std::int64_t{group_.first_row + place_.row(e)} * launch_.hidden_size + place_.unit(e);
      direction_.dh_state[at] = d_state_[e][0];
      if constexpr (states > 1) direction_.dc_state[at] = d_state_[e][1];
    }
  }

 private:
  /// Where step `s` and the step before it, in the direction's order, begin.
  __device__ __forceinline__ void load_offsets(int s) {
    if (s >= group_.steps) return;
    const std::int32_t t = group_.step(direction_, s);
    // This pass runs against the direction's order, so that `reverse` here means a forward
    // direction.
    before_ = direction_.reverse ? t - 1 : t + 1;
    next_offset_ = launch_.offsets[t];
    if constexpr (reads_some) {
      if (before_ >= 0) next_before_offset_ = launch_.offsets[before_];
    }
  }
  __device__ Number* gates_of(std::int32_t offset) const {
    const std::int64_t row = std::int64_t{offset} - first_packed_row_ + group_.first_row;
    return direction_.gates + row * slots * launch_.hidden_size;
  }
  __device__ float unit_weight(int e, int which) const {
    return widen(direction_.unit_weights[which * launch_.hidden_size + place_.unit(e)]);
  }
  __device__ int gate_place(int e) const {
    return place_.row(e) * slots * launch_.hidden_size + place_.unit(e);
  }

  const BackwardLaunch<Number>& launch_;
  const BackwardDirection<Number>& direction_;
  const RowGroup<Tiling>& group_;
  const Elements<Tiling>& place_;
  std::int32_t first_packed_row_, offset_ = 0, next_offset_ = 0, next_before_offset_ = 0,
                                  before_ = 0;
  std::uint32_t bits_ = 0;      // of the options
  std::int32_t length_[count];  // 0 for what lies past the batch or the units
  Number kept_[count][slots] = {}, dy_[count] = {}, c_[count] = {}, previous_[count][states] = {};
  float initial_[count][states] = {};
  bool begins_[count] = {};
  float slot_[count][slots], d_state_[count][states];
};

template <class Cell, class Product, class Tiling, class Exchange, bool options>
__device__ __forceinline__ void backward_pass(
    const BackwardLaunch<typename Product::Number>& launch) {
  constexpr int gates = Cell::spec.gates;
  SLUICE_DYNAMIC_SHARED(unsigned char, memory);
  RowGroup<Tiling> group(launch);
  const auto& direction = launch.direction[group.direction];
  group.take_steps(launch, direction);
  if (group.steps == 0) return;

  const geometry::StationaryShape shape = geometry::stationary_shape(
      PersistentMatrix::columns, launch.hidden_size, gates, sizeof(typename Product::Operand));
  using Shared = SharedParts<Product, Tiling, 1>;
  const Shared shared(memory, shape, launch.tiles, 0);
  const int stride = shared.layout.stride;
  const WarpPlace place = WarpPlace::of_thread<Tiling>();
  const int tile = group.rank * launch.tiles + place.tile;
  const StationaryMatrix<Product, Tiling, 1> matrix(direction.packed, shape, tile, shared.weights(),
                                                    shared.layout.shared_chunks, place);
  const Elements<Tiling> elements(place, tile);
  BackwardElements<Cell, Product, Tiling, options> state(launch, direction, group, elements);

  // Bit gate * sums + i: whether the mask keeps what comes back through that gate to sum i.
  constexpr int lane_sums = Tiling::row_tiles * 4;
  [[maybe_unused]] std::uint64_t kept = 0;
  const bool masked = options && launch.mask_rate > 0.0f;
  if (masked) {
    static_assert(!options || lane_sums * gates <= 64);
    for (int i = 0; i < lane_sums; ++i) {
      const int unit = elements.unit_of_sum(i), row = elements.row_of_sum(i);
      for (int g = 0; g < gates && unit < launch.hidden_size && row < group.rows; ++g) {
        if (keeps(launch, direction.draws, group.first_row + row, g, unit)) {
          kept |= std::uint64_t{1} << (g * lane_sums + i);
        }
      }
    }
  }

  Exchange exchange(
      columns_of<Product>(shape, stride, Tiling::rows, group.rows, group.rank, launch.tiles),
      {launch.first_group + group.number, group.rank, launch.blocks},
      {shared.barriers(), direction.exchange, direction.flags});
  shared.zero_operand();
  exchange.start();

#pragma unroll 1
  for (int s = 0; s < group.steps; ++s) {
    unsigned char* const operand = shared.operand(s);
    state.draw(s);
    state.step(s);
#pragma unroll
    for (int e = 0; e < Tiling::elements; ++e) {
      const int unit = elements.unit(e);
      if (unit >= shape.unit_tiles * geometry::tile_units) continue;
      for_each_index<gates>([&](auto g) {
        const int k =
            g * shape.segment_chunks *
                (geometry::chunk_bytes / static_cast<int>(sizeof(typename Product::Operand))) +
            unit;
        Shared::at(operand, stride, elements.row(e), k) =
            Product::operand(state.template gradient<g>(e));
      });
    }
    exchange.begin(operand);
    state.store(s);
    state.load_inputs(s + 1);
    exchange.finish(operand);
    Sums<1, Tiling::row_tiles> sums = {};
    if (masked) {
      matrix.multiply_kept(sums, operand, stride, shape.segment_chunks, [&](int g, int n, int j) {
        return (kept >> (g * lane_sums + n * 4 + j) & 1) != 0;
      });
#pragma unroll
      for (auto& of_rows : sums[0]) {
#pragma unroll
        for (float& sum : of_rows) sum *= launch.mask_scale;
      }
    } else {
      matrix.template multiply<false>(sums, operand, stride, {});
    }
    float own[Tiling::elements][1];
    add_up<Tiling, 1>(sums, shared.partial(place), place, own);
    state.add(s, own);
  }
  state.store_state();
}

template <class Cell, class Product, class Tiling, class Exchange, bool options>
__global__ void __launch_bounds__(Tiling::most_threads, 1)
    backward_kernel(const __grid_constant__ BackwardLaunch<typename Product::Number> launch) {
  backward_pass<Cell, Product, Tiling, Exchange, options>(launch);
}
/// With options, and fewer registers than its threads leave it: geometry::most_registers().
template <class Cell, class Product, class Tiling, class Exchange, int registers>
__global__ void __maxnreg__(registers) backward_kernel_within(
    const __grid_constant__ BackwardLaunch<typename Product::Number> launch) {
  backward_pass<Cell, Product, Tiling, Exchange, true>(launch);
}

}  // namespace sluice::cuda
