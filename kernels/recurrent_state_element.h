// The one number of each operation in kernels/recurrent_state.h, for both backends.
#pragma once

#include "kernels/host_device.h"
#include "kernels/recurrent_state.h"

namespace sluice {

/// Element (i, u) of previous_states.
template <class T>
SLUICE_HOST_DEVICE T previous_state(const PreviousStatesArgs& args, std::int64_t i, std::int64_t u) {
  const Sequences& s = args.sequences;
  const std::int64_t n = args.first_row + i;
  const std::int32_t t = s.step_of_row[n];
  const std::int64_t row = n - s.offsets[t];
  const std::int32_t before = args.reverse ? t + 1 : t - 1;
  const bool continues = args.reverse ? before < s.lengths[row] : before >= 0;
  const T h = continues
                  ? static_cast<const T*>(args.h)[(s.offsets[before] + row) * args.ldh + u]
                  : static_cast<const T*>(args.h_initial)[row * args.hidden_size + u];
  return args.mask == nullptr ? h
                              : h * static_cast<const T*>(args.mask)[row * args.hidden_size + u];
}

/// What unmask_gradient adds to element i of [B, H]; `plane` = B*H.
template <class T>
SLUICE_HOST_DEVICE T unmasked_sum(const UnmaskGradientArgs& args, std::int64_t i, std::int64_t plane) {
  T sum = T(0);
  for (std::int64_t g = 0; g < args.planes; ++g) {
    sum += static_cast<const T*>(args.mask)[g * plane + i] *
           static_cast<const T*>(args.d_masked)[g * plane + i];
  }
  return sum;
}

}  // namespace sluice
