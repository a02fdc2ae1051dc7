// What a block of rows is on its way through the steps, in both directions. Only *_simd.cpp files
// include this.
#pragma once

#include <cstring>

#include "kernels/simd/panel_product.h"
#include "kernels/simd/weight_panels.h"
#include "kernels/time_loops/row_blocks/recurrence_simd.h"
#include "kernels/time_loops/unit_pack.h"

namespace sluice::SLUICE_ISA {

/// `hidden_size` rounded up to whole groups of `packs` packs.
template <class T>
SLUICE_INLINE std::int64_t padded_to(std::int64_t hidden_size, int packs) {
  return divide_up(hidden_size, packs * Pack<T>::width) * packs * Pack<T>::width;
}

/// Planes [B, H] of scratch, each row padded to whole packs: of every gate two, since what enters
/// the product is double-buffered, and three of states and their like.
constexpr std::int64_t scratch_planes(const CellSpec& spec) { return 2 * spec.gates + 3; }

/// Args: RecurrenceForwardArgs or RecurrenceBackwardArgs.
template <class T, class C, class Args>
class RowBlock {
  using P = Pack<T>;
  static constexpr CellSpec spec = C::spec;

 public:
  RowBlock(const Args& args_of_pass, const RecurrenceTask& of)
      : args(args_of_pass),
        task(of),
        hidden(args.shape.hidden_size),
        padded(padded_to<T>(hidden, 1)),
        first(task.first),
        count(task.count),
        first_row(args.sequences.host_offsets[args.begin]),
        longest(args.sequences.lengths[first]),
        end(args.end < longest ? args.end : longest),
        wraps(args.draws.wrap()),
        next_scratch_(static_cast<T*>(args.scratch) + first * scratch_planes(spec) * padded) {}

  /// The next `planes` of the block's scratch, [planes, count, padded].
  T* take(int planes) {
    T* const place = next_scratch_;
    next_scratch_ += planes * count * padded;
    return place;
  }

  /// What of n things falls to this member.
  SLUICE_INLINE std::int64_t share_begin(std::int64_t n) const {
    return n * task.member / task.members;
  }
  SLUICE_INLINE std::int64_t share_end(std::int64_t n) const {
    return n * (task.member + 1) / task.members;
  }
  SLUICE_INLINE void meet() const {
    if (task.barrier != nullptr) task.barrier->wait();
  }

  /// Rows of the block that are alive at step t, the first ones.
  SLUICE_INLINE std::int64_t alive_at(std::int32_t t) const {
    if (t < 0 || t >= longest) return 0;
    const std::int32_t* offsets = args.sequences.host_offsets;
    return least(count, offsets[t + 1] - offsets[t] - first);
  }
  /// The packed row of the block's first row at step t.
  SLUICE_INLINE std::int64_t packed_row(std::int32_t t) const {
    return args.sequences.host_offsets[t] + first;
  }

  /// State [B, H] of this member's rows into scratch; use(r, u, pack) sees each pack too.
  template <class Use>
  void load_state(const void* from, T* to, Use&& use) const {
    for (std::int64_t r = share_begin(count); r < share_end(count); ++r) {
      for (std::int64_t u = 0; u < hidden; u += P::width) {
        const P pack = P::load(static_cast<const T*>(from) + (first + r) * hidden + u, hidden - u);
        pack.store(to + r * padded + u);
        use(r, u, pack);
      }
    }
  }
  void load_state(const void* from, T* to) const {
    load_state(from, to, [](std::int64_t, std::int64_t, P) {});
  }
  void store_state(void* to, const T* from) const {
    for (std::int64_t r = share_begin(count); r < share_end(count); ++r) {
      std::memcpy(static_cast<T*>(to) + (first + r) * hidden, from + r * padded,
                  hidden * sizeof(T));
    }
  }

  SLUICE_INLINE T* slot(std::int64_t row, int s, std::int64_t u) const {
    return static_cast<T*>(args.gates) + ((row - first_row) * spec.slots + s) * hidden + u;
  }
  SLUICE_INLINE void prefetch_slots(std::int64_t row, std::int64_t u) const {
    for_each_index<spec.slots>([&](auto s) { __builtin_prefetch(slot(row, s, u), 1); });
  }
  SLUICE_INLINE P mask(int gate, std::int64_t r, std::int64_t u) const {
    return P::load(
        static_cast<const T*>(args.mask) + (gate * args.sequences.batch + first + r) * hidden + u,
        hidden - u);
  }
  /// h as it enters the operand slot: under the mask of the gate that this is multiplied for.
  SLUICE_INLINE P operand_mask(std::int64_t r, std::int64_t u) const {
    return args.mask == nullptr ? P(T(1)) : mask(spec.gates_from_h(), r, u);
  }
  /// Without a recurrent matrix the mask is on them.
  SLUICE_INLINE void load_weights(std::int64_t r, std::int64_t u, Unit<C, P>& units) const {
    for_each_index<spec.unit_weights>([&](auto w) {
      units.weight[w] =
          P::load(static_cast<const T*>(args.unit_weights) + w * hidden + u, hidden - u);
      if constexpr (!spec.recurrent_matrix) {
        if (args.mask != nullptr) {
          units.weight[w] = units.weight[w] * mask(spec.unit_weight[w].slot, r, u);
        }
      }
    });
  }
  SLUICE_INLINE DrawnRow drawn_row(std::int32_t t, std::int64_t r) const {
    return {args.draws, t, callers_row(args.sequences.order, first + r)};
  }

  const Args& args;
  const RecurrenceTask& task;
  const std::int64_t hidden, padded, first, count;
  const std::int64_t first_row;     ///< packed row that `gates` begins with
  const std::int32_t longest, end;  ///< steps of the block's first row, and the last that is run
  const bool wraps;                 ///< whether an option wraps the cell

 private:
  T* next_scratch_;
};

/// Calls Block<T, C>(args, task).run() for the cell and type of a pass.
template <template <class, class> class Block, class T, class Args>
void run_block(const Args& args, const RecurrenceTask& task) {
  with_cell(args.shape.cell, [&]<class C>(C) { Block<T, C>(args, task).run(); });
}

}  // namespace sluice::SLUICE_ISA
