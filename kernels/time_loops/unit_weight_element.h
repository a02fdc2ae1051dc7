// What one row adds to the sums of kernels/time_loops/unit_weight_gradients.h, for both backends.
#pragma once

#include "kernels/arrays/column_sum_chunks.h"
#include "kernels/time_loops/recurrent_state_element.h"
#include "kernels/time_loops/unit_weight_gradients.h"

namespace sluice {

// Sums of chunks, of kColumnSumChunk rows, lie in the workspace as [chunks, P*H] of
// state_type(type).

/// Row i of the rows that are summed.
template <class C, class T>
class UnitWeightRow {
  using W = Wide<T>;

 public:
  SLUICE_HOST_DEVICE UnitWeightRow(const UnitWeightGradientsArgs& args, std::int64_t i)
      : args_(args),
        before_(state_before(args.sequences, args.reverse, args.first_row + i)),
        gates_(static_cast<const T*>(args.gates) + i * C::spec.slots * args.hidden_size) {}

  /// Weight p's term for unit u.
  template <int p>
  SLUICE_HOST_DEVICE W term(std::int64_t u) const {
    constexpr UnitWeight weight = C::spec.unit_weight[p];
    W factor;
    if constexpr (weight.factor_slot >= 0) {
      factor = widen(gates_[weight.factor_slot * args_.hidden_size + u]);
    } else if constexpr (weight.previous_state == 0) {
      factor = before_.template value<T>(args_.h, args_.ldh, args_.h_initial, args_.hidden_size, u);
    } else {
      factor = before_.template value<T>(args_.c, args_.hidden_size, args_.c_initial,
                                         args_.hidden_size, u);
    }
    const W term = widen(gates_[weight.slot * args_.hidden_size + u]) * factor;
    if constexpr (C::spec.recurrent_matrix) {
      return term;
    } else {
      return args_.mask == nullptr ? term : term * mask(weight.slot, u);
    }
  }

 private:
  SLUICE_HOST_DEVICE W mask(int gate, std::int64_t u) const {
    const std::int64_t plane = gate * args_.sequences.batch + before_.row;
    return widen(static_cast<const T*>(args_.mask)[plane * args_.hidden_size + u]);
  }

  const UnitWeightGradientsArgs& args_;
  const StateBefore before_;
  const T* gates_;
};

}  // namespace sluice
