// The CPU twin of kernels/time_loops/cell_step.cu.

#include "kernels/time_loops/cell_step_simd.h"
#include "kernels/base/number.h"
#include "kernels/time_loops/unit_pack.h"

namespace sluice::SLUICE_ISA {
namespace {

// The packs of units of one row; `count` lanes at u are within H.
template <class T, class C, class Args>
class StepRow {
  using W = Wide<T>;
  using P = Pack<W>;
  static constexpr CellSpec spec = C::spec;

 public:
  StepRow(const Args& args_of_step, std::int64_t row_of_step)
      : args(args_of_step), hidden(args.hidden_size), row(row_of_step), wraps(args.draws.wrap()) {}

  /// Calls use() for each pack.
  template <class Use>
  SLUICE_INLINE void for_each_pack(Use&& use) {
    for (u = 0; u < hidden; u += P::width) {
      count = hidden - u;
      use();
    }
  }

  template <class Number>
  SLUICE_INLINE Number* at(void* base, std::int64_t ld) const {
    return static_cast<Number*>(base) + row * ld + u;
  }
  template <class Number>
  SLUICE_INLINE const Number* at(const void* base, std::int64_t ld) const {
    return static_cast<const Number*>(base) + row * ld + u;
  }
  SLUICE_INLINE T* slot(int s) const { return at<T>(args.gates, spec.slots * hidden) + s * hidden; }
  SLUICE_INLINE P mask(int gate) const {
    return load_pack(mask_place<const T>(args.mask, gate), count);
  }
  /// Of an array [G, B, H].
  template <class Number, class Base>
  SLUICE_INLINE Number* mask_place(Base* base, int gate) const {
    return static_cast<Number*>(base) + (gate * args.batch + row) * hidden + u;
  }
  /// On what enters the operand slot: of the gate that this is multiplied for.
  SLUICE_INLINE P operand_mask() const {
    return args.mask == nullptr ? P(W(1)) : mask(spec.gates_from_h());
  }
  /// Without a recurrent matrix the mask is on them.
  SLUICE_INLINE void load_weights(Unit<C, P>& units) const {
    for_each_index<spec.unit_weights>([&](auto w) {
      units.weight[w] = load_pack(static_cast<const T*>(args.unit_weights) + w * hidden + u, count);
      if constexpr (!spec.recurrent_matrix) {
        if (args.mask != nullptr)
          units.weight[w] = units.weight[w] * mask(spec.unit_weight[w].slot);
      }
    });
  }
  SLUICE_INLINE DrawnRow drawn_row() const {
    return {args.draws, args.step, callers_row(args.order, row)};
  }

  const Args& args;
  const std::int64_t hidden, row;
  const bool wraps;
  std::int64_t u = 0, count = 0;
};

template <class T, class C>
class ForwardRow {
  using W = Wide<T>;
  using P = Pack<W>;
  using Units = Unit<C, P>;
  static constexpr CellSpec spec = C::spec;

 public:
  ForwardRow(const CellStepForwardArgs& args, std::int64_t row) : row_(args, row) {}

  void run(CellPhase phase) {
    if constexpr (spec.two_phases()) {
      if (phase == CellPhase::operand) return row_.for_each_pack([&] { operand(); });
    }
    row_.for_each_pack([&] { state(); });
  }

 private:
  W* h_state() const { return row_.template at<W>(row_.args.h_state, row_.hidden); }
  W* c_state() const { return row_.template at<W>(row_.args.c_state, row_.hidden); }

  // What is added up in slot s.
  template <int s>
  SLUICE_INLINE P sum() const {
    const P gate = load_pack(row_.slot(s), row_.count);
    if constexpr (spec.slot[s].bias == SlotBias::none) return gate;
    if (row_.args.bias == nullptr) return gate;
    return gate +
           P::load(static_cast<const W*>(row_.args.bias) + s * row_.hidden + row_.u, row_.count);
  }
  SLUICE_INLINE void load_previous(Units& units) const {
    units.previous[0] = P::load(h_state(), row_.count);
    if constexpr (spec.has_cell_state()) units.previous[1] = P::load(c_state(), row_.count);
  }

  // The first of two phases: what enters the product of the operand slot.
  SLUICE_INLINE void operand() {
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s)) units.slot[s] = sum<s>();
    });
    load_previous(units);
    C::forward_operand(units, units.previous[0] * row_.operand_mask());
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s) || s == spec.operand_slot()) {
        store_pack(units.slot[s], row_.slot(s), row_.count);
      }
    });
  }

  // The new state: all of the cell, or its second phase.
  SLUICE_INLINE void state() {
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s) || s == spec.operand_slot()) {
        units.slot[s] = load_pack(row_.slot(s), row_.count);
      } else if constexpr (spec.holds_sum(s)) {
        units.slot[s] = sum<s>();
      }
    });
    load_previous(units);
    row_.load_weights(units);
    UnitPack<C, W>::forward(units, row_.wraps, row_.drawn_row(), row_.u);
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (!spec.enters_operand(s) && s != spec.operand_slot()) {
        store_pack(units.slot[s], row_.slot(s), row_.count);
      }
    });
    if constexpr (spec.has_cell_state()) {
      units.state[1].store(c_state(), row_.count);
      if (row_.args.c != nullptr) {
        store_pack(units.state[1], row_.template at<T>(row_.args.c, row_.hidden), row_.count);
      }
    }
    put_h(units.state[0]);
  }

  SLUICE_INLINE void put_h(P h) const {
    h.store(h_state(), row_.count);
    if (row_.args.h != nullptr)
      store_pack(h, row_.template at<T>(row_.args.h, row_.args.ldh), row_.count);
    if constexpr (!spec.recurrent_matrix) return;
    if (row_.args.mask != nullptr) {
      for (int g = 0; g < spec.gates; ++g) {
        store_pack(h * row_.mask(g), row_.template mask_place<T>(row_.args.h_operand, g),
                   row_.count);
      }
    } else if (row_.args.h_operand != nullptr) {
      store_pack(h, row_.template at<T>(row_.args.h_operand, row_.hidden), row_.count);
    }
  }

  StepRow<T, C, CellStepForwardArgs> row_;
};

template <class T, class C>
class BackwardRow {
  using W = Wide<T>;
  using P = Pack<W>;
  using Units = Unit<C, P>;
  static constexpr CellSpec spec = C::spec;

 public:
  BackwardRow(const CellStepBackwardArgs& args, std::int64_t row) : row_(args, row) {}

  void run(CellPhase phase) {
    if constexpr (spec.two_phases()) {
      if (phase == CellPhase::operand) return row_.for_each_pack([&] { operand(); });
    }
    row_.for_each_pack([&] { state(); });
  }

 private:
  W* dh_state() const { return row_.template at<W>(row_.args.dh_state, row_.hidden); }
  W* dc_state() const { return row_.template at<W>(row_.args.dc_state, row_.hidden); }

  // Of the step before; a row that began here has its initial state.
  SLUICE_INLINE P previous(const void* before, std::int64_t ld, const void* initial) const {
    const bool began = row_.row >= row_.args.previous_rows;
    return began ? P::load(row_.template at<W>(initial, row_.hidden), row_.count)
                 : load_pack(row_.template at<T>(before, ld), row_.count);
  }
  SLUICE_INLINE void load_previous(Units& units) const {
    if constexpr (spec.reads_previous_h) {
      units.previous[0] = previous(row_.args.h_previous, row_.args.ldh, row_.args.h_initial);
    }
    if constexpr (spec.has_cell_state()) {
      units.previous[1] = previous(row_.args.c_previous, row_.hidden, row_.args.c_initial);
    }
  }

  // All of the cell, or its second phase.
  SLUICE_INLINE void state() {
    Units units;
    for_each_index<spec.slots>(
        [&](auto s) { units.slot[s] = load_pack(row_.slot(s), row_.count); });
    units.d_state[0] = P::load(dh_state(), row_.count);
    if (row_.args.dy != nullptr) {
      units.d_state[0] += load_pack(row_.template at<T>(row_.args.dy, row_.args.lddy), row_.count);
    }
    load_previous(units);
    if constexpr (spec.has_cell_state()) {
      units.d_state[1] = P::load(dc_state(), row_.count);
      units.state[1] = load_pack(row_.template at<T>(row_.args.c, row_.hidden), row_.count);
    }
    row_.load_weights(units);
    UnitPack<C, W>::backward(units, row_.wraps, row_.drawn_row(), row_.u);
    if constexpr (spec.has_cell_state()) units.d_state[1].store(dc_state(), row_.count);
    for_each_index<spec.slots>(
        [&](auto s) { store_pack(units.slot[s], row_.slot(s), row_.count); });
    units.d_state[0].store(dh_state(), row_.count);
  }

  // The first of two phases: through the operand slot.
  SLUICE_INLINE void operand() {
    Units units;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s)) units.slot[s] = load_pack(row_.slot(s), row_.count);
    });
    load_previous(units);
    const P m = row_.operand_mask();
    P d_h_masked;
    C::backward_operand(units, m * units.previous[0],
                        P::load(row_.template at<W>(row_.args.dq, row_.hidden), row_.count),
                        d_h_masked);
    if (row_.args.mask != nullptr) d_h_masked = d_h_masked * m;
    for_each_index<spec.slots>([&](auto s) {
      if constexpr (spec.enters_operand(s)) store_pack(units.slot[s], row_.slot(s), row_.count);
    });
    (P::load(dh_state(), row_.count) + d_h_masked).store(dh_state(), row_.count);
  }

  StepRow<T, C, CellStepBackwardArgs> row_;
};

// Calls use(T()). On the CPU 16-bit types are there to check the GPU's by, whatever the speed: they
// have kernels in the baseline alone.
template <class Use>
void with_number_stepped(DataType type, Use&& use) {
#ifdef SLUICE_ISA_BASELINE
  with_number(type, use);
#else
  type == DataType::float64 ? use(double()) : use(float());
#endif
}

template <template <class, class> class Row, class Args>
void step_rows(const Args& args, CellPhase phase, std::int64_t first, std::int64_t count) {
  with_number_stepped(args.type, [&]<class T>(T) {
    with_cell(args.cell, [&]<class C>(C) {
      for (std::int64_t row = first; row < first + count; ++row) {
        Row<T, C>(args, row).run(phase);
      }
    });
  });
}

}  // namespace

void cell_rows_forward(const CellStepForwardArgs& args, CellPhase phase, std::int64_t first,
                       std::int64_t count) {
  step_rows<ForwardRow>(args, phase, first, count);
}

void cell_rows_backward(const CellStepBackwardArgs& args, CellPhase phase, std::int64_t first,
                        std::int64_t count) {
  step_rows<BackwardRow>(args, phase, first, count);
}

}  // namespace sluice::SLUICE_ISA
