// The one number of each operation in kernels/time_loops/recurrent_state.h, for both backends.
#pragma once

#include "kernels/base/number.h"
#include "kernels/time_loops/recurrent_state.h"

namespace sluice {

/// Where the state before a packed row lies.
struct StateBefore {
  bool continues;           ///< the row has a step before it; else it begins here
  std::int64_t row;         ///< its sorted row
  std::int64_t packed_row;  ///< of the step before, if it continues

  /// Number u of that state: of a state kept at every step [N, ld], or of `initial` [B, H].
  template <class T>
  SLUICE_HOST_DEVICE Wide<T> value(const void* kept, std::int64_t ld, const void* initial,
                                   std::int64_t hidden_size, std::int64_t u) const {
    return continues ? widen(static_cast<const T*>(kept)[packed_row * ld + u])
                     : static_cast<const Wide<T>*>(initial)[row * hidden_size + u];
  }
};

/// Before packed row n.
SLUICE_HOST_DEVICE StateBefore state_before(const Sequences& s, bool reverse, std::int64_t n) {
  const std::int32_t t = s.step_of_row[n];
  const std::int64_t row = n - s.offsets[t];
  const std::int32_t before = reverse ? t + 1 : t - 1;
  const bool continues = reverse ? before < s.lengths[row] : before >= 0;
  return {continues, row, continues ? s.offsets[before] + row : 0};
}

/// Element (i, u) of previous_states.
template <class T>
SLUICE_HOST_DEVICE T previous_state(const PreviousStatesArgs& args, std::int64_t i,
                                    std::int64_t u) {
  const StateBefore before = state_before(args.sequences, args.reverse, args.first_row + i);
  const Wide<T> h = before.value<T>(args.h, args.ldh, args.h_initial, args.hidden_size, u);
  return narrow<T>(args.mask == nullptr ? h
                                        : h * widen(static_cast<const T*>(
                                                  args.mask)[before.row * args.hidden_size + u]));
}

/// Element i of [G, B, H] of mask_state; `plane` = B*H.
template <class T>
SLUICE_HOST_DEVICE T masked_state(const MaskStateArgs& args, std::int64_t i, std::int64_t plane) {
  const Wide<T> h = static_cast<const Wide<T>*>(args.h)[i % plane];
  return narrow<T>(args.mask == nullptr ? h : widen(static_cast<const T*>(args.mask)[i]) * h);
}

/// What unmask_gradient adds to element i of [B, H]; `plane` = B*H.
template <class T>
SLUICE_HOST_DEVICE Wide<T> unmasked_sum(const UnmaskGradientArgs& args, std::int64_t i,
                                        std::int64_t plane) {
  Wide<T> sum = Wide<T>(0);
  for (std::int64_t g = 0; g < args.planes; ++g) {
    sum += widen(static_cast<const T*>(args.mask)[g * plane + i]) *
           static_cast<const Wide<T>*>(args.d_masked)[g * plane + i];
  }
  return sum;
}

}  // namespace sluice
