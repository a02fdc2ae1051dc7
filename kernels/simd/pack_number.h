// Packs loaded from and stored to numbers of any type: 16-bit ones are widened and rounded on the
// way.
#pragma once

#include "kernels/base/number.h"
#include "kernels/simd/pack.h"

namespace sluice::SLUICE_ISA {

// Not inline: long, and 16-bit numbers are on the CPU where speed does not count.
template <class S>
__attribute__((noinline)) void widen_lanes(const S* from, std::int64_t count, Wide<S>* lanes) {
  for (int i = 0; i < Pack<Wide<S>>::width; ++i) lanes[i] = i < count ? widen(from[i]) : Wide<S>(0);
}
template <class S>
__attribute__((noinline)) void narrow_lanes(const Wide<S>* lanes, S* to, std::int64_t count) {
  for (int i = 0; i < Pack<Wide<S>>::width && i < count; ++i) to[i] = narrow<S>(lanes[i]);
}

/// The first `count` lanes; the others read as zero and are not written.
template <class S>
SLUICE_INLINE Pack<Wide<S>> load_pack(const S* from, std::int64_t count) {
  using P = Pack<Wide<S>>;
  if constexpr (sizeof(S) == sizeof(Wide<S>)) {
    return P::load(from, count);
  } else {
    Wide<S> lanes[P::width];
    widen_lanes(from, count, lanes);
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
    narrow_lanes(lanes, to, count);
  }
}

}  // namespace sluice::SLUICE_ISA
