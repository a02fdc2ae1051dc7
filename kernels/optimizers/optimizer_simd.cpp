// The optimisers' equations on packs of numbers.
#include "kernels/optimizers/optimizer_tile.h"
#include "kernels/simd/pack.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice::SLUICE_ISA {

// Found by argument-dependent look-up from kernels/optimizers/optimizer_update.h.
SLUICE_INLINE Pack<float> square_root(Pack<float> x) {
#if defined(__AVX512F__)
  // Not _mm512_sqrt_ps, which g++ 12 takes for a read of something uninitialised.
  return Pack<float>((Pack<float>::Vector)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x.v));
#elif defined(__AVX2__)
  return Pack<float>((Pack<float>::Vector)_mm256_sqrt_ps((__m256)x.v));
#elif defined(__SSE2__)
  return Pack<float>((Pack<float>::Vector)_mm_sqrt_ps((__m128)x.v));
#else
  for (int i = 0; i < Pack<float>::width; ++i) x.v[i] = ::sqrtf(x.v[i]);
  return x;
#endif
}

SLUICE_INLINE Pack<double> square_root(Pack<double> x) {
  for (int i = 0; i < Pack<double>::width; ++i) x.v[i] = ::sqrt(x.v[i]);
  return x;
}

namespace {

// Calls update(i, count) for each pack of the tile; the last may hold fewer numbers.
template <class T, class Update>
SLUICE_INLINE void for_packs(std::int64_t count, Update&& update) {
  constexpr std::int64_t width = Pack<T>::width;
  std::int64_t i = 0;
  for (; i + width <= count; i += width) update(i, width);
  if (i < count) update(i, count - i);
}

template <class T>
void sgd(const OptimizerTile<T>& tile, const SgdCoefficients<T>& c) {
  using P = Pack<T>;
  const SgdCoefficients<P> coefficients = {c.learning_rate, c.momentum, c.weight_decay, c.nesterov};
  for_packs<T>(tile.count, [&](std::int64_t i, std::int64_t count) {
    P p = P::load(tile.parameters + i, count);
    const P g = P::load(tile.gradients + i, count);
    if (tile.state1 == nullptr) {
      sgd_update(coefficients, p, g);
    } else {
      P v = P::load(tile.state1 + i, count);
      sgd_momentum_update(coefficients, p, g, v);
      v.store(tile.state1 + i, count);
    }
    p.store(tile.parameters + i, count);
  });
}

template <class T>
void rmsprop(const OptimizerTile<T>& tile, const RmspropCoefficients<T>& c) {
  using P = Pack<T>;
  const RmspropCoefficients<P> coefficients = {c.learning_rate, c.alpha,    c.one_minus_alpha,
                                               c.epsilon,       c.momentum, c.weight_decay};
  for_packs<T>(tile.count, [&](std::int64_t i, std::int64_t count) {
    P p = P::load(tile.parameters + i, count), s = P::load(tile.state1 + i, count);
    const P g = P::load(tile.gradients + i, count);
    if (tile.state2 == nullptr) {
      rmsprop_update(coefficients, p, g, s);
    } else {
      P v = P::load(tile.state2 + i, count);
      rmsprop_momentum_update(coefficients, p, g, s, v);
      v.store(tile.state2 + i, count);
    }
    s.store(tile.state1 + i, count);
    p.store(tile.parameters + i, count);
  });
}

template <class T>
void adam(const OptimizerTile<T>& tile, const AdamCoefficients<T>& c) {
  using P = Pack<T>;
  const AdamCoefficients<P> coefficients = {c.one_minus_beta1, c.beta2,     c.one_minus_beta2,
                                            c.epsilon,         c.step_size, c.square_correction,
                                            c.gradient_decay,  c.keep};
  for_packs<T>(tile.count, [&](std::int64_t i, std::int64_t count) {
    P p = P::load(tile.parameters + i, count);
    P m = P::load(tile.state1 + i, count), s = P::load(tile.state2 + i, count);
    adam_update(coefficients, p, P::load(tile.gradients + i, count), m, s);
    m.store(tile.state1 + i, count);
    s.store(tile.state2 + i, count);
    p.store(tile.parameters + i, count);
  });
}

}  // namespace

void sgd_tile(const OptimizerTile<float>& tile, const SgdCoefficients<float>& c) { sgd(tile, c); }
void sgd_tile(const OptimizerTile<double>& tile, const SgdCoefficients<double>& c) { sgd(tile, c); }
void rmsprop_tile(const OptimizerTile<float>& tile, const RmspropCoefficients<float>& c) {
  rmsprop(tile, c);
}
void rmsprop_tile(const OptimizerTile<double>& tile, const RmspropCoefficients<double>& c) {
  rmsprop(tile, c);
}
void adam_tile(const OptimizerTile<float>& tile, const AdamCoefficients<float>& c) {
  adam(tile, c);
}
void adam_tile(const OptimizerTile<double>& tile, const AdamCoefficients<double>& c) {
  adam(tile, c);
}

}  // namespace sluice::SLUICE_ISA
