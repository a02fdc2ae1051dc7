// Forward half of kernels/time_loops/recurrence.h.

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

// A task on its way through the steps. The state of its rows lives in scratch, padded to whole
// packs and shared by the members, each of which writes its own units: `input` is what enters R (h,
// or mask * h for each gate), double-buffered, since every unit of a step reads all of the step
// before.
template <class T, Cell cell>
class ForwardBlock {
  using P = Pack<T>;
  static constexpr int kSlots = slot_count(cell);
  static constexpr int kGates = gate_count(cell);

 public:
  ForwardBlock(const RecurrenceForwardArgs& args, const RecurrenceTask& task)
      : args_(args),
        task_(task),
        hidden_(args.shape.hidden_size),
        padded_(divide_up(hidden_, P::width) * P::width),
        first_(task.first),
        count_(task.count),
        inputs_(args.mask != nullptr ? kGates : 1),
        first_row_(args.sequences.host_offsets[args.begin]) {
    T* next = static_cast<T*>(args.scratch) + first_ * (2 * kGates + 3) * padded_;
    const auto take = [&](int planes) {
      T* place = next;
      next += planes * count_ * padded_;
      return place;
    };
    input_ = take(inputs_);
    next_input_ = take(inputs_);
    h_ = take(1);
    c_ = take(1);
    q_ = take(1);
  }

  void run() {
    load_state();
    meet();
    const std::int32_t* offsets = args_.sequences.host_offsets;
    const std::int32_t longest = args_.sequences.lengths[first_];
    const std::int32_t end = args_.end < longest ? args_.end : longest;
    for (std::int32_t s = args_.begin; s < end; ++s) {
      const std::int32_t t = args_.reverse ? end - 1 - (s - args_.begin) : s;
      const std::int64_t alive = offsets[t + 1] - offsets[t] - first_;
      step(offsets[t] + first_, alive < count_ ? alive : count_);
      meet();
      T* const written = next_input_;
      next_input_ = input_;
      input_ = written;
    }
    store_state();
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

  // Both buffers start from the initial state: in the reverse direction a row joins in the middle.
  void load_state() {
    const auto* h0 = static_cast<const T*>(args_.h_state);
    const auto* c0 = static_cast<const T*>(args_.c_state);
    for (std::int64_t r = share_begin(count_); r < share_end(count_); ++r) {
      for (std::int64_t u = 0; u < hidden_; u += P::width) {
        const P h = P::load(h0 + (first_ + r) * hidden_ + u, hidden_ - u);
        h.store(h_ + r * padded_ + u);
        put_input(input_, r, u, h);
        put_input(next_input_, r, u, h);
        if constexpr (has_cell_state(cell)) {
          P::load(c0 + (first_ + r) * hidden_ + u, hidden_ - u).store(c_ + r * padded_ + u);
        }
      }
    }
  }

  void store_state() {
    for (std::int64_t r = share_begin(count_); r < share_end(count_); ++r) {
      std::memcpy(static_cast<T*>(args_.h_state) + (first_ + r) * hidden_, h_ + r * padded_,
                  hidden_ * sizeof(T));
      if constexpr (has_cell_state(cell)) {
        std::memcpy(static_cast<T*>(args_.c_state) + (first_ + r) * hidden_, c_ + r * padded_,
                    hidden_ * sizeof(T));
      }
    }
  }

  P mask(int gate, std::int64_t r, std::int64_t u) const {
    return P::load(static_cast<const T*>(args_.mask) +
                       (gate * args_.sequences.batch + first_ + r) * hidden_ + u,
                   hidden_ - u);
  }

  SLUICE_INLINE void put_input(T* input, std::int64_t r, std::int64_t u, P h) {
    if (args_.mask == nullptr) {
      h.store(input + r * padded_ + u);
      return;
    }
    for (int g = 0; g < kGates; ++g) {
      (h * mask(g, r, u)).store(input + (g * count_ + r) * padded_ + u);
    }
  }

  // Steps `rows` rows whose packed rows begin at `row`.
  void step(std::int64_t row, std::int64_t rows) {
    const auto* packed = static_cast<const T*>(args_.packed);
    if constexpr (cell == Cell::lstm) {
      product<LstmGates>(
          packed, input_, row, rows,
          [&](std::int64_t r, std::int64_t u, const T* sums) { lstm(row + r, r, u, sums); });
    } else if constexpr (cell == Cell::gru) {
      product<GruGates>(
          packed, input_, row, rows,
          [&](std::int64_t r, std::int64_t u, const T* sums) { gru(row + r, r, u, sums); });
    } else if constexpr (cell == Cell::gru_reset_before) {
      product<ResetUpdateGates>(
          packed, input_, row, rows,
          [&](std::int64_t r, std::int64_t u, const T* sums) { reset(row + r, r, u, sums); });
      packed += ResetUpdateGates::panels<T>(hidden_) * ResetUpdateGates::panel_size<T>(hidden_);
      meet();
      product<CandidateGate, false>(
          packed, q_, row, rows,
          [&](std::int64_t r, std::int64_t u, const T* sums) { candidate(row + r, r, u, sums); });
    } else {
      product<RnnGates>(
          packed, input_, row, rows,
          [&](std::int64_t r, std::int64_t u, const T* sums) { rnn(row + r, r, u, sums); });
    }
  }

  // Calls unit(r, u, sums) with the products of row r, whose packed row is row + r, and the pack of
  // units at u, one pack a gate.
  template <class Group, bool may_be_masked = true, class Unit>
  SLUICE_INLINE void product(const T* packed, const T* a, std::int64_t row, std::int64_t rows,
                             Unit&& unit) {
    constexpr int vectors = Group::vectors, gates = Group::gates;
    const std::int64_t panels = Group::template panels<T>(hidden_);
    for (std::int64_t i = share_begin(panels); i < share_end(panels); ++i) {
      const T* panel = packed + i * Group::template panel_size<T>(hidden_);
      const auto expect = [&](std::int64_t r) {
        for (int p = 0; p < Group::unit_packs; ++p) {
          for (int s = 0; s < kSlots; ++s) {
            __builtin_prefetch(slot(row + r, s, (i * Group::unit_packs + p) * P::width), 1);
          }
        }
      };
      const auto use = [&](std::int64_t r, const T* sums) {
        for (int p = 0; p < Group::unit_packs; ++p) {
          const std::int64_t u = (i * Group::unit_packs + p) * P::width;
          if (u < hidden_) unit(r, u, sums + p * gates * P::width);
        }
      };
      if (may_be_masked && args_.mask != nullptr) {
        panel_times_rows<T, vectors, gates>({a, padded_, count_ * padded_}, rows, panel, hidden_,
                                            expect, use);
      } else {
        panel_times_rows<T, vectors, 1>({a, padded_}, rows, panel, hidden_, expect, use);
      }
    }
  }

  T* slot(std::int64_t row, int s, std::int64_t u) const {
    return static_cast<T*>(args_.gates) + ((row - first_row_) * kSlots + s) * hidden_ + u;
  }
  P bias(int s, std::int64_t u) const {
    return P::load(static_cast<const T*>(args_.bias) + s * hidden_ + u, hidden_ - u);
  }
  // x W^T + b of slot s.
  P input_part(std::int64_t row, int s, std::int64_t u) const {
    return P::load(slot(row, s, u), hidden_ - u) + bias(s, u);
  }
  void keep(std::int64_t row, int s, std::int64_t u, P value) const {
    value.store(slot(row, s, u), hidden_ - u);
  }

  SLUICE_INLINE void put_h(std::int64_t row, std::int64_t r, std::int64_t u, P h) {
    h.store(h_ + r * padded_ + u);
    h.store(static_cast<T*>(args_.h) + row * args_.ldh + u, hidden_ - u);
    put_input(next_input_, r, u, h);
  }

  SLUICE_INLINE void lstm(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    P gate[4], c, h;
    for (int s = 0; s < 4; ++s) gate[s] = input_part(row, s, u) + P::load(sums + s * P::width);
    LstmCell::forward(gate, P::load(c_ + r * padded_ + u), c, h);
    c.store(c_ + r * padded_ + u);
    if (args_.training) {
      for (int s = 0; s < 4; ++s) keep(row, s, u, gate[s]);
      c.store(static_cast<T*>(args_.c) + row * hidden_ + u, hidden_ - u);
    }
    put_h(row, r, u, h);
  }

  SLUICE_INLINE void gru(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    P gate[4], h;
    for (int s = 0; s < 2; ++s) gate[s] = input_part(row, s, u) + P::load(sums + s * P::width);
    gate[2] = input_part(row, 2, u);
    gate[3] = bias(3, u) + P::load(sums + 2 * P::width);
    GruCell::forward(gate, P::load(h_ + r * padded_ + u), h);
    if (args_.training) {
      for (int s = 0; s < 4; ++s) keep(row, s, u, gate[s]);
    }
    put_h(row, r, u, h);
  }

  SLUICE_INLINE void reset(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    P gate[4];
    for (int s = 0; s < 2; ++s) gate[s] = input_part(row, s, u) + P::load(sums + s * P::width);
    P h_masked = P::load(h_ + r * padded_ + u);
    if (args_.mask != nullptr) h_masked = h_masked * mask(2, r, u);
    GruResetBeforeCell::forward_reset(gate, h_masked);
    keep(row, 0, u, gate[0]);
    keep(row, 1, u, gate[1]);
    keep(row, 3, u, gate[3]);
    gate[3].store(q_ + r * padded_ + u);
  }

  SLUICE_INLINE void candidate(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    P gate[4], h;
    gate[1] = P::load(slot(row, 1, u), hidden_ - u);
    gate[2] = input_part(row, 2, u) + P::load(sums);
    GruResetBeforeCell::forward_output(gate, P::load(h_ + r * padded_ + u), h);
    keep(row, 2, u, gate[2]);
    put_h(row, r, u, h);
  }

  SLUICE_INLINE void rnn(std::int64_t row, std::int64_t r, std::int64_t u, const T* sums) {
    P gate[1], h;
    gate[0] = input_part(row, 0, u) + P::load(sums);
    RnnCell<cell == Cell::rnn_relu>::forward(gate, h);
    if (args_.training) keep(row, 0, u, gate[0]);
    put_h(row, r, u, h);
  }

  const RecurrenceForwardArgs& args_;
  const RecurrenceTask& task_;
  const std::int64_t hidden_, padded_, first_, count_;
  const int inputs_;
  const std::int64_t first_row_;  // packed row that `gates` begins with
  T *input_, *next_input_, *h_, *c_, *q_;
};

template <class T>
void run(const RecurrenceForwardArgs& args, const RecurrenceTask& task) {
  switch (args.shape.cell) {
    case Cell::lstm: return ForwardBlock<T, Cell::lstm>(args, task).run();
    case Cell::gru: return ForwardBlock<T, Cell::gru>(args, task).run();
    case Cell::gru_reset_before: return ForwardBlock<T, Cell::gru_reset_before>(args, task).run();
    case Cell::rnn_tanh: return ForwardBlock<T, Cell::rnn_tanh>(args, task).run();
    case Cell::rnn_relu: return ForwardBlock<T, Cell::rnn_relu>(args, task).run();
  }
}

template <class T>
std::int64_t panels(const RecurrenceShape& shape) {
  const std::int64_t hidden = shape.hidden_size;
  switch (shape.cell) {
    case Cell::lstm: return LstmGates::panels<T>(hidden);
    case Cell::gru: return GruGates::panels<T>(hidden);
    case Cell::gru_reset_before:
      return ResetUpdateGates::panels<T>(hidden) + CandidateGate::panels<T>(hidden);
    case Cell::rnn_tanh:
    case Cell::rnn_relu: break;
  }
  return RnnGates::panels<T>(hidden);
}

template <class Group, class T>
void pack(std::int64_t hidden, std::int64_t panel, const void* weight_hh, T* packed) {
  pack_panel<Group>(static_cast<const T*>(weight_hh), hidden, panel,
                    packed + panel * Group::template panel_size<T>(hidden));
}

template <class T>
void pack(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh, T* packed) {
  const std::int64_t hidden = shape.hidden_size;
  switch (shape.cell) {
    case Cell::lstm: return pack<LstmGates>(hidden, panel, weight_hh, packed);
    case Cell::gru: return pack<GruGates>(hidden, panel, weight_hh, packed);
    case Cell::gru_reset_before: {
      const std::int64_t first = ResetUpdateGates::panels<T>(hidden);
      if (panel < first) return pack<ResetUpdateGates>(hidden, panel, weight_hh, packed);
      return pack<CandidateGate>(hidden, panel - first, weight_hh,
                                 packed + first * ResetUpdateGates::panel_size<T>(hidden));
    }
    case Cell::rnn_tanh:
    case Cell::rnn_relu: return pack<RnnGates>(hidden, panel, weight_hh, packed);
  }
}

}  // namespace

std::int64_t forward_panels(const RecurrenceShape& shape) {
  return shape.type == DataType::float64 ? panels<double>(shape) : panels<float>(shape);
}

void pack_forward_panel(const RecurrenceShape& shape, std::int64_t panel, const void* weight_hh,
                        void* packed) {
  shape.type == DataType::float64 ? pack(shape, panel, weight_hh, static_cast<double*>(packed))
                                  : pack(shape, panel, weight_hh, static_cast<float*>(packed));
}

void forward_block(const RecurrenceForwardArgs& args, const RecurrenceTask& task) {
  args.shape.type == DataType::float64 ? run<double>(args, task) : run<float>(args, task);
}

}  // namespace sluice::SLUICE_ISA
