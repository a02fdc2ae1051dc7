// Matrix products whose rows do not depend on one another's number: kernels/arrays/row_product.h.

#include "kernels/arrays/row_product.h"

#include <memory>

#include "kernels/simd/panel_product.h"
#include "kernels/simd/transpose.h"

namespace sluice::SLUICE_ISA {
namespace {

using P = Pack<float>;

// A panel of B is as wide as its sums leave registers for; 128 KiB at most, which stay in the L2
// cache.
constexpr int kVectors = kVectorRegisters == 32 ? 4 : 3;
constexpr std::int64_t kDepth = 512;

// A B that is not transposed is read where it stands by so few rows that packing would cost more,
// or where its own rows are so near to one another that the caches hold them as well as a packed
// panel.
constexpr std::int64_t kFewRows = 128, kNear = 256;

// What is written after sums so deep is fetched before them.
constexpr std::int64_t kDeep = 128;

float* panel_of_this_thread() {
  struct alignas(64) Numbers {
    float at[kDepth * kVectors * P::width];
  };
  thread_local const std::unique_ptr<Numbers> panel(new Numbers);
  return panel->at;
}

// Rows [k, k + depth) of columns [column, column + columns) of op(B) -> [depth][vectors], zeros
// past the columns.
template <int vectors>
void pack(const RowProduct& p, std::int64_t k, std::int64_t depth, std::int64_t column,
          std::int64_t columns, float* panel) {
  constexpr std::int64_t width = P::width, ld = vectors * width;
  for (int j = 0; j < vectors; ++j) {
    const std::int64_t first = column + j * width, lanes = least(width, columns - j * width);
    float* const to = panel + j * width;
    if (p.transpose_b) {
      pack_columns(p.b + first * p.ldb + k, p.ldb, lanes, depth, to, ld);
    } else {
      for (std::int64_t d = 0; d < depth; ++d) {
        P::load(p.b + (k + d) * p.ldb + first, lanes).store(to + d * ld);
      }
    }
  }
}

// Columns [column, column + columns) of C, which fill `vectors` packs.
template <int vectors>
void panel_columns(const RowProduct& p, std::int64_t column, std::int64_t columns) {
  constexpr int width = P::width;
  float* const packed = panel_of_this_thread();
  for (std::int64_t k = 0; k < p.k; k += kDepth) {
    const std::int64_t depth = least(kDepth, p.k - k);
    Panel<float> panel{p.b + k * p.ldb + column, p.ldb};
    const bool far = p.m > kFewRows && p.ldb > kNear;
    if (p.transpose_b || far || columns < vectors * width) {
      pack<vectors>(p, k, depth, column, columns, packed);
      panel = {packed, vectors * width};
    }
    const float beta = k == 0 ? p.beta : 1.0f;
    const PanelInput<float> rows{p.a + k, p.lda};
    float* const c = p.c + column;
    if (beta == 0.0f && columns == vectors * width) {
      for_each_row_group<vectors>(p.m, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end && depth >= kDeep; ++r) {
          for (int j = 0; j < vectors; ++j) __builtin_prefetch(c + r * p.ldc + j * width, 1);
        }
        panel_rows<float, vectors, 1>(end - begin, {rows.a + begin * rows.ld, rows.ld}, panel,
                                      depth, c + begin * p.ldc, p.ldc);
      });
    } else {
      panel_times_rows<float, vectors, 1>(
          rows, p.m, panel, depth, [](std::int64_t) {},
          [&](std::int64_t r, const float* sums) {
            for (int j = 0; j < vectors; ++j) {
              float* const to = c + r * p.ldc + j * width;
              const std::int64_t lanes = columns - j * width;
              P sum = P::load(sums + j * width);
              if (beta != 0.0f) sum += P::load(to, lanes) * P(beta);
              sum.store(to, lanes);
            }
          });
    }
  }
}

}  // namespace

// Whole packs first, since of them B can be read where it stands; what is left of a pack comes
// last.
void row_product(const RowProduct& p) {
  for (std::int64_t column = 0, columns; column < p.n; column += columns) {
    const std::int64_t left = p.n - column;
    const std::int64_t packs = left < P::width ? 1 : least(kVectors, left / P::width);
    columns = least(packs * P::width, left);
    switch (packs) {
      case 1: panel_columns<1>(p, column, columns); break;
      case 2: panel_columns<2>(p, column, columns); break;
      case 3: panel_columns<3>(p, column, columns); break;
      default: panel_columns<kVectors>(p, column, columns);
    }
  }
}

}  // namespace sluice::SLUICE_ISA
