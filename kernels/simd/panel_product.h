// The recurrent product on the CPU: rows against a panel of weights, sums in registers.
#pragma once

#include "kernels/simd/weight_panels.h"

namespace sluice::SLUICE_ISA {

/// Rows that run through a panel at once: their sums, a panel row and a broadcast fill the
/// registers.
template <int vectors>
inline constexpr int kPanelRows = kVectorRegisters == 32 ? 24 / vectors
                                  : vectors == 4         ? 2
                                                         : 12 / vectors;

/// The left side of a product: rows `ld` apart. A mask on what enters R gives each gate an input of
/// its own; then they are `input_stride` apart, and vector j of a panel meets input j % inputs.
template <class T>
struct PanelInput {
  const T* a;
  std::int64_t ld;
  std::int64_t input_stride = 0;
};

/// The right side: rows of `vectors` packs, `ld` numbers apart.
template <class T>
struct Panel {
  const T* at;
  std::int64_t ld;
};

/// out[r][j] = sum over k of a[j % inputs][r][k] * panel[k][j], j in [0, vectors), each a pack;
/// rows of `out` are `ld` numbers apart. Sums run over rising k whatever `rows` is, so a row's bits
/// do not depend on its neighbours.
template <class T, int vectors, int inputs, int rows>
SLUICE_INLINE void panel_product(const PanelInput<T>& input, const Panel<T>& panel,
                                 std::int64_t depth, T* out, std::int64_t ld) {
  using P = Pack<T>;
  P sum[rows][vectors];
  SLUICE_UNROLL
  for (int r = 0; r < rows; ++r) {
    SLUICE_UNROLL
    for (int j = 0; j < vectors; ++j) sum[r][j] = P(T(0));
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    P weight[vectors];
    SLUICE_UNROLL
    for (int j = 0; j < vectors; ++j) weight[j] = P::load(panel.at + k * panel.ld + j * P::width);
    SLUICE_UNROLL
    for (int r = 0; r < rows; ++r) {
      SLUICE_UNROLL
      for (int i = 0; i < inputs; ++i) {
        const P value(input.a[i * input.input_stride + r * input.ld + k]);
        SLUICE_UNROLL
        for (int j = i; j < vectors; j += inputs) sum[r][j] += value * weight[j];
      }
    }
  }
  SLUICE_UNROLL
  for (int r = 0; r < rows; ++r) {
    SLUICE_UNROLL
    for (int j = 0; j < vectors; ++j) sum[r][j].store(out + r * ld + j * P::width);
  }
}

/// The same for any number of rows from 1 to kPanelRows<vectors>.
template <class T, int vectors, int inputs, int rows = kPanelRows<vectors>>
__attribute__((noinline)) void panel_rows(std::int64_t count, const PanelInput<T>& input,
                                          const Panel<T>& panel, std::int64_t depth, T* out,
                                          std::int64_t ld) {
  if (count == rows) {
    panel_product<T, vectors, inputs, rows>(input, panel, depth, out, ld);
  } else if constexpr (rows > 1) {
    panel_rows<T, vectors, inputs, rows - 1>(count, input, panel, depth, out, ld);
  }
}

/// Calls body(begin, end) for groups of rows of about the same size, kPanelRows<vectors> at most.
template <int vectors, class Body>
SLUICE_INLINE void for_each_row_group(std::int64_t rows, Body&& body) {
  const std::int64_t groups = divide_up(rows, kPanelRows<vectors>);
  for (std::int64_t group = 0, begin = 0; group < groups; ++group) {
    const std::int64_t end = (group + 1) * rows / groups;
    body(begin, end);
    begin = end;
  }
}

/// The same for any number of rows, for as many inputs as `input`
/// has: 1, or one for each of `gates`, if it has a stride. Before a group's product it calls
/// expect(r) for each of its rows, to fetch what use(r, sums) will read after it.
template <class T, int vectors, int gates, class Expect, class Use>
SLUICE_INLINE void panel_times_rows(const PanelInput<T>& input, std::int64_t rows,
                                    const Panel<T>& panel, std::int64_t depth, Expect&& expect,
                                    Use&& use) {
  constexpr int most = kPanelRows<vectors>, width = vectors * Pack<T>::width;
  const auto product =
      input.input_stride == 0 ? panel_rows<T, vectors, 1> : panel_rows<T, vectors, gates>;
  alignas(64) T sums[most * width];
  for_each_row_group<vectors>(rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) expect(r);
    product(end - begin, {input.a + begin * input.ld, input.ld, input.input_stride}, panel, depth,
            sums, width);
    for (std::int64_t r = begin; r < end; ++r) use(r, sums + (r - begin) * width);
  });
}

/// The same against a packed panel, whose rows follow one another.
template <class T, int vectors, int gates, class Expect, class Use>
SLUICE_INLINE void panel_times_rows(const PanelInput<T>& input, std::int64_t rows, const T* panel,
                                    std::int64_t depth, Expect&& expect, Use&& use) {
  panel_times_rows<T, vectors, gates>(input, rows, Panel<T>{panel, vectors * Pack<T>::width}, depth,
                                      expect, use);
}

}  // namespace sluice::SLUICE_ISA
