// The CPU twin of kernels/time_loops/cell_step.cu.

#include "kernels/time_loops/cell_step_simd.h"
#include "kernels/base/number.h"
#include "kernels/cells/gru.h"
#include "kernels/cells/lstm.h"
#include "kernels/cells/rnn.h"
#include "kernels/simd/activation.h"
#include "kernels/simd/pack_number.h"

namespace sluice::SLUICE_ISA {
namespace {

// The packs of units of one row; `count` lanes at u are within H.
template <class T, Cell cell>
class ForwardRow {
  using W = Wide<T>;
  using P = Pack<W>;
  static constexpr int kSlots = slot_count(cell);

 public:
  ForwardRow(const CellStepForwardArgs& args, std::int64_t row)
      : args_(args), hidden_(args.hidden_size), row_(row) {}

  void run(CellPhase phase) {
    for (std::int64_t u = 0; u < hidden_; u += P::width) {
      u_ = u;
      count_ = hidden_ - u;
      phase == CellPhase::operand ? reset() : state();
    }
  }

 private:
  template <class Number>
  Number* at(void* base, std::int64_t ld) const {
    return static_cast<Number*>(base) + row_ * ld + u_;
  }
  T* slot(int s) const { return at<T>(args_.gates, kSlots * hidden_) + s * hidden_; }
  W* h_state() const { return at<W>(args_.h_state, hidden_); }
  P preactivation(int s) const {
    const P gate = load_pack(slot(s), count_);
    if (args_.bias == nullptr) return gate;
    return gate + P::load(static_cast<const W*>(args_.bias) + s * hidden_ + u_, count_);
  }
  std::int64_t mask_index(int gate) const { return (gate * args_.batch + row_) * hidden_ + u_; }
  P mask(int gate) const {
    return load_pack(static_cast<const T*>(args_.mask) + mask_index(gate), count_);
  }

  void reset() {
    P gate[4] = {preactivation(0), preactivation(1), P(W(0)), P(W(0))};
    P h = P::load(h_state(), count_);
    if (args_.mask != nullptr) h = h * mask(2);
    GruResetBeforeCell::forward_reset(gate, h);
    for (const int s : {0, 1, 3}) store_pack(gate[s], slot(s), count_);
  }

  // The new state: the whole cell, or the output half (reset-before).
  void state() {
    P gate[kSlots], h;
    if constexpr (cell == Cell::gru_reset_before) {
      gate[1] = load_pack(slot(1), count_);
      gate[2] = preactivation(2);
      GruResetBeforeCell::forward_output(gate, P::load(h_state(), count_), h);
      store_pack(gate[2], slot(2), count_);
    } else {
      for (int s = 0; s < kSlots; ++s) gate[s] = preactivation(s);
      if constexpr (cell == Cell::lstm) {
        W* const c_state = at<W>(args_.c_state, hidden_);
        P c;
        LstmCell::forward(gate, P::load(c_state, count_), c, h);
        c.store(c_state, count_);
        if (args_.c != nullptr) store_pack(c, at<T>(args_.c, hidden_), count_);
      } else if constexpr (cell == Cell::gru) {
        GruCell::forward(gate, P::load(h_state(), count_), h);
      } else {
        RnnCell<cell == Cell::rnn_relu>::forward(gate, h);
      }
      for (int s = 0; s < kSlots; ++s) store_pack(gate[s], slot(s), count_);
    }
    h.store(h_state(), count_);
    if (args_.h != nullptr) store_pack(h, at<T>(args_.h, args_.ldh), count_);
    if (args_.mask != nullptr) {
      for (int g = 0; g < gate_count(cell); ++g) {
        store_pack(h * mask(g), static_cast<T*>(args_.h_operand) + mask_index(g), count_);
      }
    } else if (args_.h_operand != nullptr) {
      store_pack(h, at<T>(args_.h_operand, hidden_), count_);
    }
  }

  const CellStepForwardArgs& args_;
  const std::int64_t hidden_, row_;
  std::int64_t u_ = 0, count_ = 0;
};

template <class T, Cell cell>
class BackwardRow {
  using W = Wide<T>;
  using P = Pack<W>;
  static constexpr int kSlots = slot_count(cell);

 public:
  BackwardRow(const CellStepBackwardArgs& args, std::int64_t row)
      : args_(args), hidden_(args.hidden_size), row_(row) {}

  void run(CellPhase phase) {
    for (std::int64_t u = 0; u < hidden_; u += P::width) {
      u_ = u;
      count_ = hidden_ - u;
      phase == CellPhase::operand ? reset() : state();
    }
  }

 private:
  template <class U>
  U* at(U* base, std::int64_t ld) const {
    return base + row_ * ld + u_;
  }
  T* slot(int s) const { return at(static_cast<T*>(args_.gates), kSlots * hidden_) + s * hidden_; }
  // Of the step before; a row that began here has its initial state.
  P previous(const void* before, std::int64_t ld, const void* initial) const {
    const bool began = row_ >= args_.previous_rows;
    return began ? P::load(at(static_cast<const W*>(initial), hidden_), count_)
                 : load_pack(at(static_cast<const T*>(before), ld), count_);
  }
  P h_previous() const { return previous(args_.h_previous, args_.ldh, args_.h_initial); }

  void state() {
    P gate[kSlots];
    for (int s = 0; s < kSlots; ++s) gate[s] = load_pack(slot(s), count_);
    W* const dh_state = at(static_cast<W*>(args_.dh_state), hidden_);
    P dh = P::load(dh_state, count_), dh_direct(W(0));
    if (args_.dy != nullptr) {
      dh += load_pack(at(static_cast<const T*>(args_.dy), args_.lddy), count_);
    }
    if constexpr (cell == Cell::lstm) {
      W* const dc_state = at(static_cast<W*>(args_.dc_state), hidden_);
      P dc = P::load(dc_state, count_);
      LstmCell::backward(gate, previous(args_.c_previous, hidden_, args_.c_initial),
                         load_pack(at(static_cast<const T*>(args_.c), hidden_), count_), dh, dc);
      dc.store(dc_state, count_);
    } else if constexpr (cell == Cell::gru) {
      GruCell::backward(gate, h_previous(), dh, dh_direct);
    } else if constexpr (cell == Cell::gru_reset_before) {
      GruResetBeforeCell::backward_output(gate, h_previous(), dh, dh_direct);
    } else {
      RnnCell<cell == Cell::rnn_relu>::backward(gate, dh);
    }
    for (int s = 0; s < kSlots; ++s) store_pack(gate[s], slot(s), count_);
    dh_direct.store(dh_state, count_);
  }

  void reset() {
    P m(W(1));
    if (args_.mask != nullptr) {
      m = load_pack(static_cast<const T*>(args_.mask) + (2 * args_.batch + row_) * hidden_ + u_,
                    count_);
    }
    P gate[1] = {load_pack(slot(0), count_)};
    P dh_masked;
    GruResetBeforeCell::backward_reset(
        gate, m * h_previous(), P::load(at(static_cast<const W*>(args_.dq), hidden_), count_),
        dh_masked);
    store_pack(gate[0], slot(0), count_);
    W* const dh_state = at(static_cast<W*>(args_.dh_state), hidden_);
    (P::load(dh_state, count_) + m * dh_masked).store(dh_state, count_);
  }

  const CellStepBackwardArgs& args_;
  const std::int64_t hidden_, row_;
  std::int64_t u_ = 0, count_ = 0;
};

template <template <class, Cell> class Row, class T, class Args>
void rows_of(const Args& args, CellPhase phase, std::int64_t first, std::int64_t count) {
  for (std::int64_t row = first; row < first + count; ++row) {
    switch (args.cell) {
      case Cell::lstm: Row<T, Cell::lstm>(args, row).run(phase); break;
      case Cell::gru: Row<T, Cell::gru>(args, row).run(phase); break;
      case Cell::gru_reset_before: Row<T, Cell::gru_reset_before>(args, row).run(phase); break;
      case Cell::rnn_tanh: Row<T, Cell::rnn_tanh>(args, row).run(phase); break;
      case Cell::rnn_relu: Row<T, Cell::rnn_relu>(args, row).run(phase); break;
    }
  }
}

}  // namespace

void cell_rows_forward(const CellStepForwardArgs& args, CellPhase phase, std::int64_t first,
                       std::int64_t count) {
  with_number(args.type, [&]<class T>(T) { rows_of<ForwardRow, T>(args, phase, first, count); });
}

void cell_rows_backward(const CellStepBackwardArgs& args, CellPhase phase, std::int64_t first,
                        std::int64_t count) {
  with_number(args.type, [&]<class T>(T) { rows_of<BackwardRow, T>(args, phase, first, count); });
}

}  // namespace sluice::SLUICE_ISA
