// Both passes of a cell without R in one launch (PersistentMatrix::none): nothing passes between
// units, so that a thread takes one unit of one row through its steps, the states in registers.
// What some steps read is asked for while the steps before them are computed. Only for .cu files.
#pragma once

#include "kernels/base/number.h"
#include "kernels/cells/unit_options.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {

/// What both passes are told alike; directions are the grid's y.
template <class Direction>
struct UnitLaunch {
  int batch, hidden_size;
  const std::int32_t* offsets;  ///< see kernels/base/sequences.h
  const std::int32_t* lengths;
  const std::int32_t* order;  ///< null: as given
  int blocks;                 ///< that share the units of a row
  bool training;
  double mask_scale;  ///< of the mask on R's input
  Direction direction[2];
};

/// As in RecurrenceForwardArgs.
template <class T>
struct UnitForward {
  T* gates;
  const T* inputs;  ///< null: the gates hold them
  const std::int32_t* input_index;
  const Wide<T>* bias;
  Wide<T>* h_state;
  Wide<T>* c_state;
  T* c;
  T* h;
  std::int64_t ldh;
  const T* unit_weights;
  UnitDraws draws;
  std::int32_t begin, end, first_packed_row;
  bool reverse;  ///< the kernel goes from the last step to the first
};

/// As in RecurrenceBackwardArgs.
template <class T>
struct UnitBackward {
  T* gates;
  const Wide<T>* h_initial;
  const Wide<T>* c_initial;
  const T* h;
  std::int64_t ldh;
  const T* c;
  const T* dy;  ///< may be null
  std::int64_t lddy;
  Wide<T>* dh_state;
  Wide<T>* dc_state;
  const T* unit_weights;
  UnitDraws draws;
  std::int32_t begin, end, first_packed_row;
  bool reverse;
};

/// One unit of one sorted row, and the steps that it takes.
template <class C, class T, class Direction, bool options>
class UnitPlace {
  using W = Wide<T>;

 public:
  /// Steps whose inputs are on their way at once.
  static constexpr int ahead = C::spec.slots > 2 ? 2 : 4;

  __device__ explicit UnitPlace(const UnitLaunch<Direction>& arguments)
      : launch(arguments), direction(arguments.direction[blockIdx.y]) {
    const int group = static_cast<int>(blockIdx.x) / launch.blocks;
    const int rank = static_cast<int>(blockIdx.x) - group * launch.blocks;
    row = group * static_cast<int>(blockDim.y) + static_cast<int>(threadIdx.y);
    unit = rank * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x);
    if (row >= launch.batch || unit >= launch.hidden_size) return;
    length = launch.lengths[row];
    steps = max(0, min(direction.end, length) - direction.begin);
  }

  /// The time of step `s` of this row.
  __device__ std::int32_t step(int s) const {
    return direction.reverse ? direction.begin + steps - 1 - s : direction.begin + s;
  }
  /// The packed row at time t.
  __device__ std::int64_t packed(std::int32_t t) const {
    return std::int64_t{launch.offsets[t]} + row;
  }
  /// Of [B, H].
  __device__ std::int64_t at() const { return std::int64_t{row} * launch.hidden_size + unit; }
  /// This unit's slot 0 at a packed row.
  __device__ T* slots_at(std::int64_t packed_row) const {
    return direction.gates +
           (packed_row - direction.first_packed_row) * C::spec.slots * launch.hidden_size + unit;
  }

  /// The unit's weights, as the mask on R's input leaves them.
  __device__ void load_weights(Unit<C, W>& u) const {
    for_each_index<C::spec.unit_weights>([&](auto w) {
      u.weight[w] = widen(direction.unit_weights[w * launch.hidden_size + unit]);
      const RecurrentMaskDraws& dropout = direction.draws.mask;
      if (options && dropout.rate > 0.0) {
        const auto number =
            static_cast<std::uint32_t>(C::spec.unit_weight[w].slot * launch.hidden_size + unit);
        u.weight[w] *=
            dropout_factor(dropout.random.word(0, given_row(), number),
                           static_cast<float>(dropout.rate), static_cast<W>(launch.mask_scale));
      }
    });
  }
  /// Whether the cell's equations run within Wrapped, and what that takes.
  __device__ bool wraps() const { return options && direction.draws.wrap(); }
  __device__ void draw(std::int32_t t, W (&drawn)[Wrapped<C>::numbers]) const {
    for_each_index<Wrapped<C>::numbers>([&](auto i) {
      drawn[i] = direction.draws.template number<W>(i, static_cast<std::uint32_t>(t), given_row(),
                                                    static_cast<std::uint32_t>(unit));
    });
  }

  const UnitLaunch<Direction>& launch;
  const Direction& direction;
  int row, unit;
  std::int32_t length = 0, steps = 0;

 private:
  __device__ std::uint32_t given_row() const {
    return static_cast<std::uint32_t>(launch.order == nullptr ? row : launch.order[row]);
  }
};

/// What forward reads of some steps.
template <class C, class T>
struct UnitInputs {
  T x[C::spec.gates];
};

template <class C, class T, bool options>
__global__ void __launch_bounds__(256)
    unit_forward_kernel(const __grid_constant__ UnitLaunch<UnitForward<T>> launch) {
  using Place = UnitPlace<C, T, UnitForward<T>, options>;
  constexpr int ahead = Place::ahead, states = C::spec.states;
  const Place place(launch);
  if (place.steps == 0) return;
  const UnitForward<T>& of = place.direction;
  const std::int64_t H = launch.hidden_size;

  std::int32_t input_row[ahead] = {};  // of the shared inputs, of the steps asked for next
  const auto ask_for_rows = [&](int first) {
    if (of.input_index == nullptr) return;
#pragma unroll
    for (int j = 0; j < ahead; ++j) {
      if (first + j < place.steps) {
        input_row[j] = of.input_index[place.packed(place.step(first + j))];
      }
    }
  };
  UnitInputs<C, T> next[ahead] = {};
  const auto ask_for_inputs = [&](int first) {
#pragma unroll
    for (int j = 0; j < ahead; ++j) {
      if (first + j >= place.steps) continue;
      const T* const x = of.input_index == nullptr
                             ? place.slots_at(place.packed(place.step(first + j)))
                             : of.inputs + input_row[j] * C::spec.gates * H + place.unit;
#pragma unroll
      for (int g = 0; g < C::spec.gates; ++g) next[j].x[g] = x[g * H];
    }
    ask_for_rows(first + ahead);
  };

  Unit<C, Wide<T>> u;
  place.load_weights(u);
  Wide<T> bias[C::spec.slots];
#pragma unroll
  for (int s = 0; s < C::spec.slots; ++s) bias[s] = of.bias[s * H + place.unit];
  u.state[0] = of.h_state[place.at()];
  if constexpr (states > 1) u.state[1] = of.c_state[place.at()];
  ask_for_rows(0);
  ask_for_inputs(0);

#pragma unroll 1
  for (int first = 0; first < place.steps; first += ahead) {
    UnitInputs<C, T> now[ahead];
#pragma unroll
    for (int j = 0; j < ahead; ++j) now[j] = next[j];
    ask_for_inputs(first + ahead);
#pragma unroll
    for (int j = 0; j < ahead; ++j) {
      if (first + j >= place.steps) continue;
      const std::int32_t t = place.step(first + j);
      for_each_index<C::spec.slots>([&](auto s) {
        u.slot[s] = bias[s];
        if constexpr (s < C::spec.gates) u.slot[s] = widen(now[j].x[s]) + bias[s];
      });
      for_each_index<states>([&](auto i) { u.previous[i] = u.state[i]; });
      C::forward(u);
      if (place.wraps()) {
        Wide<T> drawn[Wrapped<C>::numbers];
        place.draw(t, drawn);
        Wrapped<C>::after_forward(u, drawn);
      }
      const std::int64_t packed = place.packed(t);
      of.h[packed * of.ldh + place.unit] = narrow<T>(u.state[0]);
      if (!launch.training) continue;
      T* const kept = place.slots_at(packed);
#pragma unroll
      for (int s = 0; s < C::spec.slots; ++s) kept[s * H] = narrow<T>(u.slot[s]);
      if constexpr (states > 1) of.c[packed * H + place.unit] = narrow<T>(u.state[1]);
    }
  }
  of.h_state[place.at()] = u.state[0];
  if constexpr (states > 1) of.c_state[place.at()] = u.state[1];
}

/// What backward reads of a step.
template <class C, class T>
struct UnitKept {
  T slot[C::spec.slots], dy, c, previous[C::spec.states];
};

template <class C, class T, bool options>
__global__ void __launch_bounds__(256)
    unit_backward_kernel(const __grid_constant__ UnitLaunch<UnitBackward<T>> launch) {
  using Place = UnitPlace<C, T, UnitBackward<T>, options>;
  constexpr int ahead = Place::ahead, states = C::spec.states;
  const Place place(launch);
  if (place.steps == 0) return;
  const UnitBackward<T>& of = place.direction;
  const std::int64_t H = launch.hidden_size;

  // The step before time t in the direction's order, against which this pass runs.
  const auto before = [&](std::int32_t t) { return of.reverse ? t - 1 : t + 1; };
  const auto continues = [&](std::int32_t t) { return t >= 0 && t < place.length; };
  UnitKept<C, T> next[ahead] = {};
  const auto ask_for_inputs = [&](int first) {
#pragma unroll
    for (int j = 0; j < ahead; ++j) {
      if (first + j >= place.steps) continue;
      const std::int32_t t = place.step(first + j);
      const std::int64_t packed = place.packed(t);
      const T* const kept = place.slots_at(packed);
#pragma unroll
      for (int s = 0; s < C::spec.slots; ++s) next[j].slot[s] = kept[s * H];
      if (of.dy != nullptr) next[j].dy = of.dy[packed * of.lddy + place.unit];
      if constexpr (states > 1) next[j].c = of.c[packed * H + place.unit];
      if (!continues(before(t))) continue;
      const std::int64_t previous = place.packed(before(t));
      if constexpr (C::spec.reads_previous_h) {
        next[j].previous[0] = of.h[previous * of.ldh + place.unit];
      }
      if constexpr (states > 1) next[j].previous[1] = of.c[previous * H + place.unit];
    }
  };

  Unit<C, Wide<T>> u;
  place.load_weights(u);
  u.d_state[0] = of.dh_state[place.at()];
  if constexpr (states > 1) u.d_state[1] = of.dc_state[place.at()];
  ask_for_inputs(0);

#pragma unroll 1
  for (int first = 0; first < place.steps; first += ahead) {
    UnitKept<C, T> now[ahead];
#pragma unroll
    for (int j = 0; j < ahead; ++j) now[j] = next[j];
    ask_for_inputs(first + ahead);
#pragma unroll
    for (int j = 0; j < ahead; ++j) {
      if (first + j >= place.steps) continue;
      const std::int32_t t = place.step(first + j);
      for_each_index<C::spec.slots>([&](auto s) { u.slot[s] = widen(now[j].slot[s]); });
      if (of.dy != nullptr) u.d_state[0] += widen(now[j].dy);
      const bool continued = continues(before(t));
      if constexpr (C::spec.reads_previous_h) {
        u.previous[0] = continued ? widen(now[j].previous[0]) : of.h_initial[place.at()];
      }
      if constexpr (states > 1) {
        u.previous[1] = continued ? widen(now[j].previous[1]) : of.c_initial[place.at()];
        u.state[1] = widen(now[j].c);
      }
      Wide<T> kept[Wrapped<C>::kept_numbers] = {};
      if (place.wraps()) {
        Wide<T> drawn[Wrapped<C>::numbers];
        place.draw(t, drawn);
        Wrapped<C>::before_backward(u, drawn, kept);
      }
      C::backward(u);
      if (place.wraps()) Wrapped<C>::after_backward(u, kept);
      T* const gradients = place.slots_at(place.packed(t));
#pragma unroll
      for (int s = 0; s < C::spec.slots; ++s) gradients[s * H] = narrow<T>(u.slot[s]);
    }
  }
  of.dh_state[place.at()] = u.d_state[0];
  if constexpr (states > 1) of.dc_state[place.at()] = u.d_state[1];
}

}  // namespace sluice::cuda
