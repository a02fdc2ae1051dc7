// The recurrent product on the CPU: a few rows against a panel of weights, sums in registers.
#pragma once

#include "kernels/simd/pack.h"

namespace sluice::SLUICE_ISA {

/// Vectors a panel is wide, and rows that run through it at once: their sums, a panel row and a
/// broadcast fill the registers.
inline constexpr int kPanelVectors = 4;
template <int vectors>
inline constexpr int kPanelRows = kVectorRegisters == 32 ? 24 / vectors : vectors == 3 ? 4 : 2;

/// out[r][j] = sum over k of a[j % inputs][r][k] * panel[k][j], j in [0, vectors), each a pack.
/// `inputs` > 1 is recurrent dropout: each gate has an input of its own, `input_stride` apart.
/// Sums run over rising k whatever `rows` is, so a row's bits do not depend on its neighbours.
template <class T, int vectors, int inputs, int rows>
SLUICE_INLINE void panel_product(const T* a, std::int64_t lda, std::int64_t input_stride,
                                 const T* panel, std::int64_t depth, T* out) {
  using P = Pack<T>;
  P sum[rows][vectors];
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < vectors; ++j) sum[r][j] = P(T(0));
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    P weight[vectors];
    for (int j = 0; j < vectors; ++j) weight[j] = P::load(panel + (k * vectors + j) * P::width);
    for (int r = 0; r < rows; ++r) {
      for (int i = 0; i < inputs; ++i) {
        const P value(a[i * input_stride + r * lda + k]);
        for (int j = i; j < vectors; j += inputs) sum[r][j] += value * weight[j];
      }
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < vectors; ++j) sum[r][j].store(out + (r * vectors + j) * P::width);
  }
}

/// The same for any number of rows from 1 to kPanelRows<vectors>.
template <class T, int vectors, int inputs, int rows = kPanelRows<vectors>>
void panel_rows(std::int64_t count, const T* a, std::int64_t lda, std::int64_t input_stride,
                const T* panel, std::int64_t depth, T* out) {
  if (count == rows) {
    panel_product<T, vectors, inputs, rows>(a, lda, input_stride, panel, depth, out);
  } else if constexpr (rows > 1) {
    panel_rows<T, vectors, inputs, rows - 1>(count, a, lda, input_stride, panel, depth, out);
  }
}

}  // namespace sluice::SLUICE_ISA
