// Forward half of kernels/time_loops/recurrence.h.

#include "kernels/time_loops/row_blocks/row_block.h"

namespace sluice::SLUICE_ISA {
namespace {

// The gates whose product is with h, and those whose product is with the operand slot.
template <class C>
using GatesFromState = GateGroup<0, C::spec.gates_from_h()>;
template <class C>
using GatesFromOperand = GateGroup<C::spec.gates_from_h(), C::spec.gates - C::spec.gates_from_h()>;

// A task on its way through the steps. The state of its rows lives in scratch, padded to whole
// packs and shared by the members, each of which writes its own units: `input` is what enters R (h,
// or mask * h for each gate), double-buffered, since every unit of a step reads all of the step
// before.
template <class T, class C>
class ForwardBlock {
  using P = Pack<T>;
  using Units = Unit<C, P>;
  using Packs = UnitPack<C, T>;
  static constexpr CellSpec spec = C::spec;

 public:
  ForwardBlock(const RecurrenceForwardArgs& args, const RecurrenceTask& task) : block_(args, task) {
    const int inputs = args.mask != nullptr ? spec.gates : 1;
    input_ = block_.take(inputs);
    next_input_ = block_.take(inputs);
    h_ = block_.take(1);
    c_ = block_.take(1);
    operand_ = block_.take(1);
  }

  void run() {
    // Both buffers start from the initial state: in reverse a row joins in the middle.
    block_.load_state(block_.args.h_state, h_, [&](std::int64_t r, std::int64_t u, P h) {
      put_input(input_, r, u, h);
      put_input(next_input_, r, u, h);
    });
    if constexpr (spec.has_cell_state()) block_.load_state(block_.args.c_state, c_);
    block_.meet();
    for (std::int32_t s = block_.args.begin; s < block_.end; ++s) {
      t_ = block_.args.reverse ? block_.end - 1 - (s - block_.args.begin) : s;
      step(block_.packed_row(t_), block_.alive_at(t_));
      block_.meet();
      T* const written = next_input_;
      next_input_ = input_;
      input_ = written;
    }
    block_.store_state(block_.args.h_state, h_);
    if constexpr (spec.has_cell_state()) block_.store_state(block_.args.c_state, c_);
  }

 private:
  SLUICE_INLINE void put_input(T* input, std::int64_t r, std::int64_t u, P h) {
    if constexpr (!spec.recurrent_matrix) return;
    if (block_.args.mask == nullptr) {
      h.store(input + r * block_.padded + u);
      return;
    }
    for (int g = 0; g < spec.gates; ++g) {
      (h * block_.mask(g, r, u)).store(input + (g * block_.count + r) * block_.padded + u);
    }
  }

  // Steps `rows` rows whose packed rows begin at `row`.
  void step(std::int64_t row, std::int64_t rows) {
    if constexpr (!spec.recurrent_matrix) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t u = 0; u < block_.hidden; u += P::width) state(row + r, r, u, nullptr);
      }
    } else {
      const auto* packed = static_cast<const T*>(block_.args.packed);
      using First = GatesFromState<C>;
      product<First>(packed, input_, block_.args.mask != nullptr, row, rows,
                     [&](std::int64_t r, std::int64_t u, const T* sums) {
                       if constexpr (spec.two_phases()) {
                         operand(row + r, r, u, sums);
                       } else {
                         state(row + r, r, u, sums);
                       }
                     });
      if constexpr (spec.two_phases()) {
        packed +=
            First::template panels<T>(block_.hidden) * First::template panel_size<T>(block_.hidden);
        block_.meet();
        product<GatesFromOperand<C>>(
            packed, operand_, false, row, rows,
            [&](std::int64_t r, std::int64_t u, const T* sums) { state(row + r, r, u, sums); });
      }
    }
  }

  // Calls use(r, u, sums) with the products of row r, whose packed row is row + r, and the pack of
  // units at u, one pack a gate. `apart`: each gate has an input of its own.
  template <class Group, class Use>
  SLUICE_INLINE void product(const T* packed, const T* a, bool apart, std::int64_t row,
                             std::int64_t rows, Use&& use) {
    constexpr int vectors = Group::vectors, gates = Group::gates;
    const std::int64_t panels = Group::template panels<T>(block_.hidden);
    for (std::int64_t i = block_.share_begin(panels); i < block_.share_end(panels); ++i) {
      const T* panel = packed + i * Group::template panel_size<T>(block_.hidden);
      const auto expect = [&](std::int64_t r) {
        for (int p = 0; p < Group::unit_packs; ++p) {
          block_.prefetch_slots(row + r, (i * Group::unit_packs + p) * P::width);
        }
      };
      const auto each_pack = [&](std::int64_t r, const T* sums) {
        for (int p = 0; p < Group::unit_packs; ++p) {
          const std::int64_t u = (i * Group::unit_packs + p) * P::width;
          if (u < block_.hidden) use(r, u, sums + p * gates * P::width);
        }
      };
      panel_times_rows<T, vectors, gates>(
          {a, block_.padded, apart ? block_.count * block_.padded : 0}, rows, panel, block_.hidden,
          expect, each_pack);
    }
  }

  // What is added up in slot s: x W^T, bias and the product of its gate, which is of those from
  // `first_gate` on.
  template <int s, int first_gate>
  SLUICE_INLINE P sum(std::int64_t row, std::int64_t u, const T* sums) const {
    constexpr CellSlot of = spec.slot[s];
    P value(T(0));
    if constexpr (s < spec.gates) value = P::load(block_.slot(row, s, u), block_.hidden - u);
    if constexpr (of.bias != SlotBias::none) {
      const P bias = P::load(static_cast<const T*>(block_.args.bias) + s * block_.hidden + u,
                             block_.hidden - u);
      value = s < spec.gates ? value + bias : bias;
    }
    if constexpr (of.recurrent >= 0) {
      value = value + P::load(sums + (of.recurrent - first_gate) * P::width);
    }
    return value;
  }
  template <int s>
  SLUICE_INLINE void keep(std::int64_t row, std::int64_t u, const Units& units) const {
    units.slot[s].store(block_.slot(row, s, u), block_.hidden - u);
  }

  // The first of two phases: what enters the product of the operand slot.
  SLUICE_INLINE void operand(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s)) units.slot[s] = sum<s, 0>(row, u, sums);
    });
    load_previous(r, u, units);
    C::forward_operand(units, units.previous[0] * block_.operand_mask(r, u));
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s) || s == spec.operand_slot()) keep<s>(row, u, units);
    });
    units.slot[spec.operand_slot()].store(operand_ + r * block_.padded + u);
  }

  // The new state: all of the cell, or its second phase.
  SLUICE_INLINE void state(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    constexpr int first_gate = spec.two_phases() ? spec.gates_from_h() : 0;
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s) || s == spec.operand_slot()) {
        units.slot[s] = P::load(block_.slot(row, s, u), block_.hidden - u);
      } else if constexpr (spec.holds_sum(s)) {
        units.slot[s] = sum<s, first_gate>(row, u, sums);
      }
    });
    load_previous(r, u, units);
    block_.load_weights(r, u, units);
    Packs::forward(units, block_.wraps, block_.drawn_row(t_, r), u);
    if constexpr (spec.has_cell_state()) units.state[1].store(c_ + r * block_.padded + u);
    if (block_.args.training) {
      for_each_index<spec.slots>([&](auto s) {
        if constexpr (!spec.enters_operand(s) && s != spec.operand_slot()) keep<s>(row, u, units);
      });
      if constexpr (spec.has_cell_state()) {
        units.state[1].store(static_cast<T*>(block_.args.c) + row * block_.hidden + u,
                             block_.hidden - u);
      }
    }
    const P h = units.state[0];
    h.store(h_ + r * block_.padded + u);
    h.store(static_cast<T*>(block_.args.h) + row * block_.args.ldh + u, block_.hidden - u);
    put_input(next_input_, r, u, h);
  }

  SLUICE_INLINE void load_previous(std::int64_t r, std::int64_t u, Units& units) const {
    units.previous[0] = P::load(h_ + r * block_.padded + u);
    if constexpr (spec.has_cell_state()) units.previous[1] = P::load(c_ + r * block_.padded + u);
  }

  RowBlock<T, C, RecurrenceForwardArgs> block_;
  T *input_, *next_input_, *h_, *c_, *operand_;
  std::int32_t t_ = 0;
};

// Calls use(group, before) for each group of a cell's gates; `before`: panels of those before it.
template <class T, class C, class Use>
void for_each_group(std::int64_t hidden, Use&& use) {
  if constexpr (C::spec.recurrent_matrix) {
    use(GatesFromState<C>(), 0);
    if constexpr (C::spec.two_phases()) {
      use(GatesFromOperand<C>(), GatesFromState<C>::template panels<T>(hidden));
    }
  }
}

template <class T>
std::int64_t panels(const RecurrenceShape& shape) {
  return with_cell(shape.cell, [&]<class C>(C) {
    std::int64_t count = 0;
    for_each_group<T, C>(shape.hidden_size, [&]<class Group>(Group, std::int64_t) {
      count += Group::template panels<T>(shape.hidden_size);
    });
    return count;
  });
}

template <class T>
void pack(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh, void* packed) {
  const std::int64_t hidden = shape.hidden_size;
  auto* to = static_cast<T*>(packed);
  with_cell(shape.cell, [&]<class C>(C) {
    for_each_group<T, C>(hidden, [&]<class Group>(Group, std::int64_t before) {
      const std::int64_t of_group = panel - before, size = Group::template panel_size<T>(hidden);
      const std::int64_t count = Group::template panels<T>(hidden);
      if (of_group >= 0 && of_group < count) {
        pack_panel<Group>(static_cast<const T*>(weight_hh), hidden, of_group, to + of_group * size);
      }
      to += count * size;
    });
  });
}

}  // namespace

std::int64_t forward_panels(const RecurrenceShape& shape) {
  return shape.type == DataType::float64 ? panels<double>(shape) : panels<float>(shape);
}

void pack_forward_panel(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh,
                        void* packed) {
  shape.type == DataType::float64 ? pack<double>(shape, panel, weight_hh, packed)
                                  : pack<float>(shape, panel, weight_hh, packed);
}

void forward_block(const RecurrenceForwardArgs& args, const RecurrenceTask& task) {
  args.shape.type == DataType::float64 ? run_block<ForwardBlock, double>(args, task)
                                       : run_block<ForwardBlock, float>(args, task);
}

}  // namespace sluice::SLUICE_ISA
