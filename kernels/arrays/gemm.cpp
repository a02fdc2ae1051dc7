#include "kernels/arrays/gemm.h"

#include <string>

#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

void check(const char* name, std::int64_t value, std::int64_t least) {
  require(value >= least, std::string("gemm: ") + name + ": expected at least " +
                              std::to_string(least) + ", got " + std::to_string(value));
}

}  // namespace

void gemm(const Queue& queue, const GemmArgs& args) {
  check("m", args.m, 0);
  check("n", args.n, 0);
  check("k", args.k, 0);
  if (args.m == 0 || args.n == 0) return;
  check("lda", args.lda, args.transpose_a ? args.m : args.k);
  check("ldb", args.ldb, args.transpose_b ? args.k : args.n);
  check("ldc", args.ldc, args.n);
  require(args.c != nullptr && (args.k == 0 || (args.a != nullptr && args.b != nullptr)),
          "gemm: a, b and c: expected pointers, got null");
  SLUICE_DISPATCH(gemm, queue, args);
}

}  // namespace sluice
