// Backward half of kernels/time_loops/recurrence.h, and the sizes of both.

#include "kernels/time_loops/row_blocks/row_block.h"

namespace sluice::SLUICE_ISA {
namespace {

// weight_hh as it stands, its H columns cut into panels: [panel][G*H][kPanelVectors packs].
template <class T>
inline constexpr std::int64_t kPanelColumns = kPanelVectors* Pack<T>::width;

// A task on its way back through the steps. Scratch, rows padded to whole packs, shared by the
// members, each of which writes its own units: `dh`, `dc` are the gradients by the state; `dg`
// [rows, G*H] those that enter R^T, double-buffered, since all members read them.
template <class T, class C>
class BackwardBlock {
  using P = Pack<T>;
  using Units = Unit<C, P>;
  using Packs = UnitPack<C, T>;
  static constexpr CellSpec spec = C::spec;

  // Of a block's row, the states of the step before.
  struct Before {
    const T *h, *c;
  };

 public:
  BackwardBlock(const RecurrenceBackwardArgs& args, const RecurrenceTask& task)
      : block_(args, task),
        first_column_(block_.share_begin(panels()) * kPanelColumns<T>),
        end_column_(least(block_.hidden, block_.share_end(panels()) * kPanelColumns<T>)) {
    dh_ = block_.take(1);
    dc_ = block_.take(1);
    dg_ = block_.take(spec.gates);
    next_dg_ = block_.take(spec.gates);
  }

  void run() {
    block_.load_state(block_.args.dh_state, dh_);
    if constexpr (spec.has_cell_state()) block_.load_state(block_.args.dc_state, dc_);
    block_.meet();
    for (std::int32_t s = block_.args.begin; s < block_.end; ++s) {
      t_ = block_.args.reverse ? s : block_.end - 1 - (s - block_.args.begin);
      const std::int32_t before = block_.args.reverse ? t_ + 1 : t_ - 1;
      rows_ = block_.alive_at(t_);
      continued_ = least(rows_, block_.alive_at(before));
      row_ = block_.packed_row(t_);
      before_ = continued_ > 0 ? block_.packed_row(before) : 0;
      step();
      T* const written = dg_;
      dg_ = next_dg_;
      next_dg_ = written;
    }
    block_.meet();
    block_.store_state(block_.args.dh_state, dh_);
    if constexpr (spec.has_cell_state()) block_.store_state(block_.args.dc_state, dc_);
  }

 private:
  std::int64_t panels() const { return divide_up(block_.hidden, kPanelColumns<T>); }

  SLUICE_INLINE Before before(std::int64_t r) const {
    const bool continues = r < continued_;
    Before states = {};
    if constexpr (spec.reads_previous_h) {
      states.h = continues ? static_cast<const T*>(block_.args.h) + (before_ + r) * block_.args.ldh
                           : static_cast<const T*>(block_.args.h_initial) +
                                 (block_.first + r) * block_.hidden;
    }
    if constexpr (spec.has_cell_state()) {
      states.c = continues ? static_cast<const T*>(block_.args.c) + (before_ + r) * block_.hidden
                           : static_cast<const T*>(block_.args.c_initial) +
                                 (block_.first + r) * block_.hidden;
    }
    return states;
  }

  void step() {
    for (std::int64_t r = 0; r < rows_; ++r) {
      const Before states = before(r);
      for (std::int64_t u = first_column_; u < end_column_; u += P::width) state(r, u, states);
    }
    if constexpr (spec.recurrent_matrix) {
      constexpr int from_h = spec.gates_from_h();
      block_.meet();
      if constexpr (spec.two_phases()) {
        product(from_h, spec.gates - from_h, [&](std::int64_t r, std::int64_t u, P d_operand) {
          operand(r, u, before(r), d_operand);
        });
        block_.meet();
      }
      through_weights(from_h);
    }
  }

  // dh += sum over the first `gates` gates of mask_g * (dg_g R_g).
  void through_weights(int gates) {
    const auto add = [&](std::int64_t r, std::int64_t u, P sum) {
      T* dh = dh_ + r * block_.padded + u;
      (P::load(dh) + sum).store(dh);
    };
    if (block_.args.mask == nullptr) return product(0, gates, add);
    for (int g = 0; g < gates; ++g) {
      product(g, 1, [&](std::int64_t r, std::int64_t u, P sum) {
        add(r, u, sum * block_.mask(g, r, u));
      });
    }
  }

  // Calls use(r, u, sum) with the product of gates [gate, gate + gates) of row r and R.
  template <class Use>
  SLUICE_INLINE void product(int gate, int gates, Use&& use) {
    const std::int64_t ld = spec.gates * block_.hidden;
    for (std::int64_t column = first_column_; column < end_column_; column += kPanelColumns<T>) {
      const T* panel = static_cast<const T*>(block_.args.packed) + column * ld +
                       gate * block_.hidden * kPanelColumns<T>;
      panel_times_rows<T, kPanelVectors, 1>(
          {dg_ + gate * block_.hidden, ld}, rows_, panel, gates * block_.hidden,
          [](std::int64_t) {},
          [&](std::int64_t r, const T* sums) {
            for (std::int64_t u = column; u < least(end_column_, column + kPanelColumns<T>);
                 u += P::width) {
              use(r, u, P::load(sums + (u - column)));
            }
          });
    }
  }

  // The gradients of the gates of one of two phases, or of all, for the products.
  template <bool first_phase>
  SLUICE_INLINE void put_dg(std::int64_t r, std::int64_t u, const Units& units) {
    if constexpr (!spec.recurrent_matrix) return;
    for_each_index<spec.gates>([&](auto g) {
      constexpr int s = spec.slot_of_gate(g);
      if constexpr (s >= 0 && spec.enters_operand(s) == first_phase) {
        units.slot[s].store(dg_ + (r * spec.gates + g) * block_.hidden + u, block_.hidden - u);
      }
    });
  }

  // The element-wise part of one pack of units: all of the cell, or its second phase. The rows of
  // the step to come lie in memory since the forward pass, so they are called for early.
  SLUICE_INLINE void state(std::int64_t r, std::int64_t u, const Before& states) {
    const std::int64_t count = block_.hidden - u, row = row_ + r;
    const std::int64_t next_row = r < continued_ ? before_ + r : row;
    T* const dh_place = dh_ + r * block_.padded + u;
    T* const dc_place = dc_ + r * block_.padded + u;
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      units.slot[s] = P::load(block_.slot(row, s, u), count);
      __builtin_prefetch(block_.slot(next_row, s, u), 1);
    });
    units.d_state[0] = P::load(dh_place);
    if (block_.args.dy != nullptr) {
      units.d_state[0] +=
          P::load(static_cast<const T*>(block_.args.dy) + row * block_.args.lddy + u, count);
      __builtin_prefetch(static_cast<const T*>(block_.args.dy) + next_row * block_.args.lddy + u);
    }
    load_previous(u, states, units);
    if constexpr (spec.has_cell_state()) {
      units.d_state[1] = P::load(dc_place);
      units.state[1] =
          P::load(static_cast<const T*>(block_.args.c) + row * block_.hidden + u, count);
    }
    block_.load_weights(r, u, units);
    Packs::backward(units, block_.wraps, block_.drawn_row(t_, r), u);
    if constexpr (spec.has_cell_state()) units.d_state[1].store(dc_place);
    put_dg<false>(r, u, units);
    for_each_index<spec.slots>([&](auto s) { units.slot[s].store(block_.slot(row, s, u), count); });
    units.d_state[0].store(dh_place);
  }

  // The first of two phases: through the operand slot.
  SLUICE_INLINE void operand(std::int64_t r, std::int64_t u, const Before& states, P d_operand) {
    const std::int64_t row = row_ + r;
    const P m = block_.operand_mask(r, u);
    T* const dh = dh_ + r * block_.padded + u;
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s)) {
        units.slot[s] = P::load(block_.slot(row, s, u), block_.hidden - u);
      }
    });
    load_previous(u, states, units);
    P d_h_masked;
    C::backward_operand(units, m * units.previous[0], d_operand, d_h_masked);
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s))
        units.slot[s].store(block_.slot(row, s, u), block_.hidden - u);
    });
    put_dg<true>(r, u, units);
    (P::load(dh) + m * d_h_masked).store(dh);
  }

  SLUICE_INLINE void load_previous(std::int64_t u, const Before& states, Units& units) const {
    if constexpr (spec.reads_previous_h)
      units.previous[0] = P::load(states.h + u, block_.hidden - u);
    if constexpr (spec.has_cell_state())
      units.previous[1] = P::load(states.c + u, block_.hidden - u);
  }

  RowBlock<T, C, RecurrenceBackwardArgs> block_;
  const std::int64_t first_column_, end_column_;  // the units of this member
  T *dh_, *dc_, *dg_, *next_dg_;
  // Of the step: its number, the block's first packed row and rows; the packed row of the first in
  // the step before, and how many of the rows have one there. The others began here, from the
  // initial state.
  std::int32_t t_ = 0;
  std::int64_t row_ = 0, rows_ = 0, before_ = 0, continued_ = 0;
};

template <class T>
void pack(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh, void* packed) {
  const std::int64_t hidden = shape.hidden_size, depth = gate_count(shape.cell) * hidden;
  const std::int64_t column = panel * kPanelColumns<T>;
  const std::int64_t columns = least(kPanelColumns<T>, hidden - column);
  const T* from = static_cast<const T*>(weight_hh) + column;
  T* to = static_cast<T*>(packed) + column * depth;
  for (std::int64_t k = 0; k < depth; ++k, to += kPanelColumns<T>) {
    std::memset(to, 0, kPanelColumns<T> * sizeof(T));
    std::memcpy(to, from + k * hidden, columns * sizeof(T));
  }
}

// Both passes fit: the widest panel is kPanelVectors packs of units of one gate.
template <class T>
std::size_t weight_bytes(const RecurrenceShape& shape) {
  return sizeof(T) * gate_count(shape.cell) * shape.hidden_size *
         padded_to<T>(shape.hidden_size, kPanelVectors);
}

template <class T>
std::size_t scratch_bytes(const RecurrenceShape& shape, std::int64_t batch) {
  return sizeof(T) * batch * scratch_planes(spec_of(shape.cell)) *
         padded_to<T>(shape.hidden_size, 1);
}

}  // namespace

std::size_t recurrence_weight_bytes(const RecurrenceShape& shape) {
  if (!spec_of(shape.cell).recurrent_matrix) return 0;
  return shape.type == DataType::float64 ? weight_bytes<double>(shape) : weight_bytes<float>(shape);
}

std::size_t recurrence_scratch_bytes(const RecurrenceShape& shape, std::int64_t batch) {
  return shape.type == DataType::float64 ? scratch_bytes<double>(shape, batch)
                                         : scratch_bytes<float>(shape, batch);
}

std::int64_t backward_panels(const RecurrenceShape& shape) {
  if (!spec_of(shape.cell).recurrent_matrix) return 0;
  return divide_up(shape.hidden_size,
                   shape.type == DataType::float64 ? kPanelColumns<double> : kPanelColumns<float>);
}

void pack_backward_panel(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh,
                         void* packed) {
  shape.type == DataType::float64 ? pack<double>(shape, panel, weight_hh, packed)
                                  : pack<float>(shape, panel, weight_hh, packed);
}

void backward_block(const RecurrenceBackwardArgs& args, const RecurrenceTask& task) {
  args.shape.type == DataType::float64 ? run_block<BackwardBlock, double>(args, task)
                                       : run_block<BackwardBlock, float>(args, task);
}

}  // namespace sluice::SLUICE_ISA
