// Matrix products: cuBLAS on a GPU, oneDNN on the CPU.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// C = op(A) op(B) + beta C, row-major; op transposes where asked. 16-bit matrices are multiplied
/// and added up in float32, and rounded once at the end. On the CPU the work is cut into tiles that
/// do not depend on the number of threads, so that the bits do not either; they may depend on m and
/// n, by which oneDNN and cuBLAS choose among kernels that add up in different orders.
struct GemmArgs {
  DataType type = DataType::float32;  ///< of A and B, and of C unless:
  bool wide_c = false;                ///< C is of state_type(type): float32 for 16-bit A and B
  MatrixMath math = MatrixMath::ieee;
  /// On the CPU, where A is not transposed: a row of C has the same bits whatever m is, so that
  /// rows can be multiplied in parts of any size.
  bool rows_apart = false;
  bool transpose_a = false, transpose_b = false;
  std::int64_t m = 0, n = 0, k = 0;
  double beta = 0.0;
  const void* a = nullptr;  ///< [m,k], or [k,m] when transposed
  std::int64_t lda = 0;     ///< elements from a row of the stored matrix to the next
  const void* b = nullptr;  ///< [k,n], or [n,k] when transposed
  std::int64_t ldb = 0;
  void* c = nullptr;  ///< [m,n]
  std::int64_t ldc = 0;
};

/// k == 0 leaves beta C; m == 0 or n == 0 does nothing.
/// Errors: usage on a negative size or a stride shorter than its row; runtime from the library.
void gemm(const Queue& queue, const GemmArgs& args);

namespace cpu {
void gemm(const Queue&, const GemmArgs&);
}
namespace cuda {
void gemm(const Queue&, const GemmArgs&);
}

}  // namespace sluice
