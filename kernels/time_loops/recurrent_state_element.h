// The one number of each operation in kernels/time_loops/recurrent_state.h, for both backends.
#pragma once

#include "kernels/base/number.h"
#include "kernels/time_loops/recurrent_state.h"

namespace sluice {

/// Element (i, u) of previous_states.
template <class T>
SLUICE_HOST_DEVICE T previous_state(const PreviousStatesArgs& args, std::int64_t i,
                                    std::int64_t u) {
  const Sequences& s = args.sequences;
  const std::int64_t n = args.first_row + i;
  const std::int32_t t = s.step_of_row[n];
  const std::int64_t row = n - s.offsets[t];
  const std::int32_t before = args.reverse ? t + 1 : t - 1;
  const bool continues = args.reverse ? before < s.lengths[row] : before >= 0;
  const Wide<T> h =
      continues ? widen(static_cast<const T*>(args.h)[(s.offsets[before] + row) * args.ldh + u])
                : static_cast<const Wide<T>*>(args.h_initial)[row * args.hidden_size + u];
  return narrow<T>(args.mask == nullptr
                       ? h
                       : h * widen(static_cast<const T*>(args.mask)[row * args.hidden_size + u]));
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
