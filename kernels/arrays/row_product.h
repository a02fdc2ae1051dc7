// What kernels/arrays/gemm_cpu.cpp calls in each instruction set's namespace for
// GemmArgs::rows_apart.
#pragma once

#include <cstdint>

namespace sluice {

/// C = A op(B) + beta C in float32, row-major. The sums of an element of C run over rising k,
/// in blocks of a fixed depth, so that its bits depend on its row of A, its column of op(B) and k
/// alone: neither on m and n nor on where the element lies.
struct RowProduct {
  std::int64_t m = 0, n = 0, k = 0;
  float beta = 0.0f;         ///< beta == 0 does not read C
  const float* a = nullptr;  ///< [m,k]
  std::int64_t lda = 0;
  bool transpose_b = false;
  const float* b = nullptr;  ///< [k,n], or [n,k] when transposed
  std::int64_t ldb = 0;
  float* c = nullptr;  ///< [m,n]
  std::int64_t ldc = 0;
};

namespace isa_baseline {
void row_product(const RowProduct&);
}
namespace isa_avx2 {
void row_product(const RowProduct&);
}
namespace isa_avx512 {
void row_product(const RowProduct&);
}

}  // namespace sluice
