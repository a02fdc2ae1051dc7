// Packs loaded from and stored to numbers of any type: 16-bit ones are widened and rounded on the
// way.
#pragma once

#include "kernels/base/number.h"
#include "kernels/simd/pack.h"

namespace sluice::SLUICE_ISA {

/// The first `count` lanes; the others read as zero and are not written.
template <class S>
SLUICE_INLINE Pack<Wide<S>> load_pack(const S* from, std::int64_t count) {
  using P = Pack<Wide<S>>;
  if constexpr (sizeof(S) == sizeof(Wide<S>)) {
    return P::load(from, count);
  } else {
    Wide<S> lanes[P::width] = {};
    for (int i = 0; i < P::width && i < count; ++i) lanes[i] = widen(from[i]);
    return P::load(lanes);
  }
}

template <class S>
SLUICE_INLINE void store_pack(Pack<Wide<S>> pack, S* to, std::int64_t count) {
  using P = Pack<Wide<S>>;
  if constexpr (sizeof(S) == sizeof(Wide<S>)) {
    pack.store(to, count);
  } else {
    Wide<S> lanes[P::width];
    pack.store(lanes);
    for (int i = 0; i < P::width && i < count; ++i) to[i] = narrow<S>(lanes[i]);
  }
}

}  // namespace sluice::SLUICE_ISA
