// Backward half of kernels/time_loops/recurrence.h, and the sizes of both.

#include <cstring>

#include "kernels/cells/gru.h"
#include "kernels/cells/lstm.h"
#include "kernels/cells/rnn.h"
#include "kernels/simd/activation.h"
#include "kernels/simd/panel_product.h"
#include "kernels/simd/weight_panels.h"
#include "kernels/time_loops/row_blocks/recurrence_simd.h"

namespace sluice::SLUICE_ISA {
namespace {

// weight_hh as it stands, its H columns cut into panels: [panel][G*H][kPanelVectors packs].
template <class T>
inline constexpr std::int64_t kPanelColumns = kPanelVectors* Pack<T>::width;

// A task on its way back through the steps. Scratch, rows padded to whole packs, shared by the
// members, each of which writes its own units: `dh`, `dc` are the gradients by the state; `dg`
// [rows, G*H] those that enter R^T, double-buffered, since all members read them.
template <class T, Cell cell>
class BackwardBlock {
  using P = Pack<T>;
  static constexpr int kSlots = slot_count(cell);
  static constexpr int kGates = gate_count(cell);

 public:
  BackwardBlock(const RecurrenceBackwardArgs& args, const RecurrenceTask& task)
      : args_(args),
        task_(task),
        hidden_(args.shape.hidden_size),
        padded_(divide_up(hidden_, P::width) * P::width),
        first_(task.first),
        count_(task.count),
        first_row_(args.sequences.host_offsets[args.begin]),
        first_column_(share_begin(panels()) * kPanelColumns<T>),
        end_column_(least(hidden_, share_end(panels()) * kPanelColumns<T>)) {
    T* next = static_cast<T*>(args.scratch) + first_ * (2 * kGates + 3) * padded_;
    dh_ = next;
    dc_ = dh_ + count_ * padded_;
    dg_ = dc_ + count_ * padded_;
    next_dg_ = dg_ + count_ * kGates * padded_;
  }

  void run() {
    load_state(args_.dh_state, dh_);
    if constexpr (has_cell_state(cell)) load_state(args_.dc_state, dc_);
    meet();
    const std::int32_t* offsets = args_.sequences.host_offsets;
    const std::int32_t longest = args_.sequences.lengths[first_];
    const std::int32_t end = args_.end < longest ? args_.end : longest;
    const auto alive_at = [&](std::int32_t t) -> std::int64_t {
      if (t < 0 || t >= longest) return 0;
      const std::int64_t alive = offsets[t + 1] - offsets[t] - first_;
      return alive < count_ ? alive : count_;
    };
    for (std::int32_t s = args_.begin; s < end; ++s) {
      const std::int32_t t = args_.reverse ? s : end - 1 - (s - args_.begin);
      const std::int32_t before = args_.reverse ? t + 1 : t - 1;
      const std::int64_t rows = alive_at(t);
      const std::int64_t continued = alive_at(before) < rows ? alive_at(before) : rows;
      step(offsets[t] + first_, rows, continued > 0 ? offsets[before] + first_ : 0, continued);
      T* const written = dg_;
      dg_ = next_dg_;
      next_dg_ = written;
    }
    meet();
    store_state(args_.dh_state, dh_);
    if constexpr (has_cell_state(cell)) store_state(args_.dc_state, dc_);
  }

 private:
  // What of n things falls to this member.
  SLUICE_INLINE std::int64_t share_begin(std::int64_t n) const {
    return n * task_.member / task_.members;
  }
  SLUICE_INLINE std::int64_t share_end(std::int64_t n) const {
    return n * (task_.member + 1) / task_.members;
  }
  SLUICE_INLINE void meet() const {
    if (task_.barrier != nullptr) task_.barrier->wait();
  }

  std::int64_t panels() const { return divide_up(hidden_, kPanelColumns<T>); }

  void load_state(const void* from, T* to) {
    for (std::int64_t r = share_begin(count_); r < share_end(count_); ++r) {
      for (std::int64_t u = 0; u < hidden_; u += P::width) {
        P::load(static_cast<const T*>(from) + (first_ + r) * hidden_ + u, hidden_ - u)
            .store(to + r * padded_ + u);
      }
    }
  }
  void store_state(void* to, const T* from) {
    for (std::int64_t r = share_begin(count_); r < share_end(count_); ++r) {
      std::memcpy(static_cast<T*>(to) + (first_ + r) * hidden_, from + r * padded_,
                  hidden_ * sizeof(T));
    }
  }

  P mask(int gate, std::int64_t r, std::int64_t u) const {
    return P::load(static_cast<const T*>(args_.mask) +
                       (gate * args_.sequences.batch + first_ + r) * hidden_ + u,
                   hidden_ - u);
  }

  // `before`: packed row of the block's first row in the step before; rows from `continued` on
  // have none and began here, from the initial state.
  void step(std::int64_t row, std::int64_t rows, std::int64_t before, std::int64_t continued) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* h_previous = nullptr;
      const T* c_previous = nullptr;
      if constexpr (cell == Cell::gru || cell == Cell::gru_reset_before) {
        h_previous = r < continued
                         ? static_cast<const T*>(args_.h) + (before + r) * args_.ldh
                         : static_cast<const T*>(args_.h_initial) + (first_ + r) * hidden_;
      }
      if constexpr (has_cell_state(cell)) {
        c_previous = r < continued
                         ? static_cast<const T*>(args_.c) + (before + r) * hidden_
                         : static_cast<const T*>(args_.c_initial) + (first_ + r) * hidden_;
      }
      const std::int64_t next_row = r < continued ? before + r : row + r;
      for (std::int64_t u = first_column_; u < end_column_; u += P::width) {
        unit(row + r, next_row, r, u, h_previous, c_previous);
      }
    }
    meet();
    if constexpr (cell == Cell::gru_reset_before) {
      product(rows, 2, 1, [&](std::int64_t r, std::int64_t u, P dq) {
        const T* h_previous = r < continued
                                  ? static_cast<const T*>(args_.h) + (before + r) * args_.ldh
                                  : static_cast<const T*>(args_.h_initial) + (first_ + r) * hidden_;
        reset(row + r, r, u, h_previous, dq);
      });
      meet();
      through_weights(rows, 2);
    } else {
      through_weights(rows, kGates);
    }
  }

  // dh += sum over the first `gates` gates of mask_g * (dg_g R_g).
  void through_weights(std::int64_t rows, int gates) {
    const auto add = [&](std::int64_t r, std::int64_t u, P sum) {
      T* dh = dh_ + r * padded_ + u;
      (P::load(dh) + sum).store(dh);
    };
    if (args_.mask == nullptr) return product(rows, 0, gates, add);
    for (int g = 0; g < gates; ++g) {
      product(rows, g, 1,
              [&](std::int64_t r, std::int64_t u, P sum) { add(r, u, sum * mask(g, r, u)); });
    }
  }

  // Calls unit(r, u, sum) with the product of gates [gate, gate + gates) of row r and R.
  template <class Unit>
  SLUICE_INLINE void product(std::int64_t rows, int gate, int gates, Unit&& unit) {
    const std::int64_t ld = kGates * hidden_;
    for (std::int64_t column = first_column_; column < end_column_; column += kPanelColumns<T>) {
      const T* panel =
          static_cast<const T*>(args_.packed) + column * ld + gate * hidden_ * kPanelColumns<T>;
      panel_times_rows<T, kPanelVectors, 1>(
          {dg_ + gate * hidden_, ld}, rows, panel, gates * hidden_, [](std::int64_t) {},
          [&](std::int64_t r, const T* sums) {
            for (std::int64_t u = column; u < least(end_column_, column + kPanelColumns<T>);
                 u += P::width) {
              unit(r, u, P::load(sums + (u - column)));
            }
          });
    }
  }

  T* slot(std::int64_t row, int s, std::int64_t u) const {
    return static_cast<T*>(args_.gates) + ((row - first_row_) * kSlots + s) * hidden_ + u;
  }
  void put_dg(std::int64_t r, int gate, std::int64_t u, P value) {
    value.store(dg_ + (r * kGates + gate) * hidden_ + u, hidden_ - u);
  }

  // The element-wise part of one pack of units: all of the cell, or its output half (reset-before).
  // The rows of the step to come lie in memory since the forward pass, so they are called for
  // early.
  SLUICE_INLINE void unit(std::int64_t row, std::int64_t next_row, std::int64_t r, std::int64_t u,
                          [[maybe_unused]] const T* h_previous,
                          [[maybe_unused]] const T* c_previous) {
    const std::int64_t count = hidden_ - u;
    T* const dh_place = dh_ + r * padded_ + u;
    P gate[kSlots];
    for (int s = 0; s < kSlots; ++s) {
      gate[s] = P::load(slot(row, s, u), count);
      __builtin_prefetch(slot(next_row, s, u), 1);
    }
    P dh = P::load(dh_place), dh_direct(T(0));
    if (args_.dy != nullptr) {
      dh += P::load(static_cast<const T*>(args_.dy) + row * args_.lddy + u, count);
      __builtin_prefetch(static_cast<const T*>(args_.dy) + next_row * args_.lddy + u);
    }
    if constexpr (cell == Cell::lstm) {
      P dc = P::load(dc_ + r * padded_ + u);
      LstmCell::backward(gate, P::load(c_previous + u, count),
                         P::load(static_cast<const T*>(args_.c) + row * hidden_ + u, count), dh,
                         dc);
      dc.store(dc_ + r * padded_ + u);
      for (int g = 0; g < kGates; ++g) put_dg(r, g, u, gate[g]);
    } else if constexpr (cell == Cell::gru) {
      GruCell::backward(gate, P::load(h_previous + u, count), dh, dh_direct);
      put_dg(r, 0, u, gate[0]);
      put_dg(r, 1, u, gate[1]);
      put_dg(r, 2, u, gate[3]);
    } else if constexpr (cell == Cell::gru_reset_before) {
      GruResetBeforeCell::backward_output(gate, P::load(h_previous + u, count), dh, dh_direct);
      put_dg(r, 1, u, gate[1]);
      put_dg(r, 2, u, gate[2]);
    } else {
      RnnCell<cell == Cell::rnn_relu>::backward(gate, dh);
      put_dg(r, 0, u, gate[0]);
    }
    for (int s = 0; s < kSlots; ++s) gate[s].store(slot(row, s, u), count);
    dh_direct.store(dh_place);
  }

  // GRU reset-before: through r and the product's input.
  SLUICE_INLINE void reset(std::int64_t row, std::int64_t r, std::int64_t u, const T* h_previous,
                           P dq) {
    const P m = args_.mask == nullptr ? P(T(1)) : mask(2, r, u);
    P gate[1] = {P::load(slot(row, 0, u), hidden_ - u)};
    P dh_masked;
    GruResetBeforeCell::backward_reset(gate, m * P::load(h_previous + u, hidden_ - u), dq,
                                       dh_masked);
    gate[0].store(slot(row, 0, u), hidden_ - u);
    put_dg(r, 0, u, gate[0]);
    T* dh = dh_ + r * padded_ + u;
    (P::load(dh) + m * dh_masked).store(dh);
  }

  const RecurrenceBackwardArgs& args_;
  const RecurrenceTask& task_;
  const std::int64_t hidden_, padded_, first_, count_;
  const std::int64_t first_row_;                  // packed row that `gates` begins with
  const std::int64_t first_column_, end_column_;  // the units of this member
  T *dh_, *dc_, *dg_, *next_dg_;
};

template <class T>
void run(const RecurrenceBackwardArgs& args, const RecurrenceTask& task) {
  switch (args.shape.cell) {
    case Cell::lstm: return BackwardBlock<T, Cell::lstm>(args, task).run();
    case Cell::gru: return BackwardBlock<T, Cell::gru>(args, task).run();
    case Cell::gru_reset_before: return BackwardBlock<T, Cell::gru_reset_before>(args, task).run();
    case Cell::rnn_tanh: return BackwardBlock<T, Cell::rnn_tanh>(args, task).run();
    case Cell::rnn_relu: return BackwardBlock<T, Cell::rnn_relu>(args, task).run();
  }
}

template <class T>
void pack(const RecurrenceShape& shape, std::int64_t panel, const T* weight_hh, T* packed) {
  const std::int64_t hidden = shape.hidden_size, depth = gate_count(shape.cell) * hidden;
  const std::int64_t column = panel * kPanelColumns<T>;
  const std::int64_t columns = least(kPanelColumns<T>, hidden - column);
  T* to = packed + column * depth;
  for (std::int64_t k = 0; k < depth; ++k, to += kPanelColumns<T>) {
    std::memset(to, 0, kPanelColumns<T> * sizeof(T));
    std::memcpy(to, weight_hh + k * hidden + column, columns * sizeof(T));
  }
}

template <class T>
std::int64_t padded_to(std::int64_t hidden_size, int packs) {
  return divide_up(hidden_size, packs * Pack<T>::width) * packs * Pack<T>::width;
}

// Both passes fit: the widest panel is kPanelVectors packs of units of one gate.
template <class T>
std::size_t weight_bytes(const RecurrenceShape& shape) {
  return sizeof(T) * gate_count(shape.cell) * shape.hidden_size *
         padded_to<T>(shape.hidden_size, kPanelVectors);
}

template <class T>
std::size_t scratch_bytes(const RecurrenceShape& shape, std::int64_t batch) {
  return sizeof(T) * batch * (2 * gate_count(shape.cell) + 3) * padded_to<T>(shape.hidden_size, 1);
}

}  // namespace

std::size_t recurrence_weight_bytes(const RecurrenceShape& shape) {
  return shape.type == DataType::float64 ? weight_bytes<double>(shape) : weight_bytes<float>(shape);
}

std::size_t recurrence_scratch_bytes(const RecurrenceShape& shape, std::int64_t batch) {
  return shape.type == DataType::float64 ? scratch_bytes<double>(shape, batch)
                                         : scratch_bytes<float>(shape, batch);
}

std::int64_t backward_panels(const RecurrenceShape& shape) {
  return divide_up(shape.hidden_size,
                   shape.type == DataType::float64 ? kPanelColumns<double> : kPanelColumns<float>);
}

void pack_backward_panel(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh,
                         void* packed) {
  if (shape.type == DataType::float64) {
    pack(shape, panel, static_cast<const double*>(weight_hh), static_cast<double*>(packed));
  } else {
    pack(shape, panel, static_cast<const float*>(weight_hh), static_cast<float*>(packed));
  }
}

void backward_block(const RecurrenceBackwardArgs& args, const RecurrenceTask& task) {
  args.shape.type == DataType::float64 ? run<double>(args, task) : run<float>(args, task);
}

}  // namespace sluice::SLUICE_ISA
