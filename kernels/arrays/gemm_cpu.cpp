#include "kernels/arrays/gemm.h"

#include <dnnl.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "kernels/arrays/row_product.h"
#include "kernels/base/error.h"
#include "kernels/base/number.h"
#include "kernels/device/instruction_set.h"
#include "kernels/device/tiles.h"

extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int);

namespace sluice::cpu {
namespace {

// oneDNN forks an OpenMP team inside a product; ours are already one tile a thread. The setting
// belongs to the calling thread alone and is put back.
class OneThread {
 public:
  OneThread() : saved_(omp_get_max_threads()) {
    if (saved_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (saved_ != 1) omp_set_num_threads(saved_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int saved_;
};

// C = beta C of one tile, the product of nothing.
template <class T>
void scale(const GemmArgs& args, T* c, std::int64_t m, std::int64_t n) {
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      T& out = c[i * args.ldc + j];
      out = narrow<T>(args.beta == 0.0 ? Wide<T>(0) : static_cast<Wide<T>>(args.beta) * widen(out));
    }
  }
}

void require_success(dnnl_status_t status) {
  if (status != dnnl_success) {
    throw Error::runtime("gemm: oneDNN failed with status " + std::to_string(status));
  }
}

// `p` with the transpositions that `args` asks for, by what they ask for.
void multiply(const GemmArgs& args, const RowProduct& p) {
  if (args.rows_apart && !args.transpose_a) return SLUICE_DISPATCH_ISA(row_product, p);
  require_success(dnnl_sgemm(args.transpose_a ? 'T' : 'N', args.transpose_b ? 'T' : 'N', p.m, p.n,
                             p.k, 1.0f, p.a, p.lda, p.b, p.ldb, p.beta, p.c, p.ldc));
}

// C = op(A) op(B) + beta C of one tile.
void product(const GemmArgs& args, const float* a, const float* b, float* c, std::int64_t m,
             std::int64_t n) {
  if (args.k == 0) return scale(args, c, m, n);
  multiply(args, {.m = m,
                  .n = n,
                  .k = args.k,
                  .beta = static_cast<float>(args.beta),
                  .a = a,
                  .lda = args.lda,
                  .transpose_b = args.transpose_b,
                  .b = b,
                  .ldb = args.ldb,
                  .c = c,
                  .ldc = args.ldc});
}

// float64 serves the gradient checks: plain loops, since oneDNN has no double product.
void product(const GemmArgs& args, const double* a, const double* b, double* c, std::int64_t m,
             std::int64_t n) {
  const std::int64_t step_a = args.transpose_a ? args.lda : 1;
  const std::int64_t row_a = args.transpose_a ? 1 : args.lda;
  const std::int64_t step_b = args.transpose_b ? 1 : args.ldb;
  const std::int64_t column_b = args.transpose_b ? args.ldb : 1;
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t p = 0; p < args.k; ++p) {
        sum += a[i * row_a + p * step_a] * b[p * step_b + j * column_b];
      }
      double& out = c[i * args.ldc + j];
      out = sum + (args.beta == 0.0 ? 0.0 : args.beta * out);
    }
  }
}

// A block of a matrix as floats, rows close together.
template <class S>
void widen_block(const S* from, std::int64_t ld, std::int64_t rows, std::int64_t columns,
                 float* to) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) to[i * columns + j] = widen(from[i * ld + j]);
  }
}

constexpr std::int64_t kBlock = 256;  // rows, columns and depth that are widened together

// The three blocks of a product of 16-bit matrices, on the thread that takes it; 256 KiB each.
float* blocks_of_this_thread() {
  thread_local const std::unique_ptr<float[]> blocks(new float[3 * kBlock * kBlock]);
  return blocks.get();
}

// 16-bit factors: widened block by block, since oneDNN multiplies float16 on few processors and
// bfloat16 with other roundings on each.
template <class S, class Out>
void product(const GemmArgs& args, const S* a, const S* b, Out* c, std::int64_t m, std::int64_t n) {
  if (args.k == 0) return scale(args, c, m, n);
  float* const block_a = blocks_of_this_thread();
  float* const block_b = block_a + kBlock * kBlock;
  float* const sum = block_b + kBlock * kBlock;
  for (std::int64_t i = 0; i < m; i += kBlock) {
    const std::int64_t rows = std::min(kBlock, m - i);
    for (std::int64_t j = 0; j < n; j += kBlock) {
      const std::int64_t columns = std::min(kBlock, n - j);
      for (std::int64_t p = 0; p < args.k; p += kBlock) {
        const std::int64_t depth = std::min(kBlock, args.k - p);
        if (args.transpose_a) {
          widen_block(a + p * args.lda + i, args.lda, depth, rows, block_a);
        } else {
          widen_block(a + i * args.lda + p, args.lda, rows, depth, block_a);
        }
        if (args.transpose_b) {
          widen_block(b + j * args.ldb + p, args.ldb, columns, depth, block_b);
        } else {
          widen_block(b + p * args.ldb + j, args.ldb, depth, columns, block_b);
        }
        multiply(args, {.m = rows,
                        .n = columns,
                        .k = depth,
                        .beta = p == 0 ? 0.0f : 1.0f,
                        .a = block_a,
                        .lda = args.transpose_a ? rows : depth,
                        .transpose_b = args.transpose_b,
                        .b = block_b,
                        .ldb = args.transpose_b ? depth : columns,
                        .c = sum,
                        .ldc = columns});
      }
      const float beta = static_cast<float>(args.beta);
      for (std::int64_t r = 0; r < rows; ++r) {
        Out* const out = c + (i + r) * args.ldc + j;
        const float* const from = sum + r * columns;
        for (std::int64_t q = 0; q < columns; ++q) {
          out[q] = narrow<Out>(beta == 0.0f ? from[q] : from[q] + beta * widen(out[q]));
        }
      }
    }
  }
}

// C in equal pieces along one side, by the shape alone: about 8 MFLOP each, no thinner than what a
// product runs well on, and a power of two of them, which most teams share out evenly.
struct Tiles {
  bool along_m;
  std::int64_t size, count;

  explicit Tiles(const GemmArgs& args) {
    constexpr std::int64_t kMost = 16, kMultiple = 16;
    const std::int64_t wanted =
        std::clamp<std::int64_t>(args.m * args.n / 1024 * args.k * 2 / 8192, 1, kMost);
    along_m = args.rows_apart ? rows_first(args, wanted) : args.m >= args.n;
    const std::int64_t length = along_m ? args.m : args.n;
    count = power_of_two(std::min(wanted, std::max<std::int64_t>(1, length / kThinnest)));
    size = tile_count(tile_count(length, count), kMultiple) * kMultiple;
    count = tile_count(length, size);
  }

 private:
  static constexpr std::int64_t kThinnest = 64;

  static std::int64_t power_of_two(std::int64_t n) {
    return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n)));
  }

  // A row_product packs its part of B: pieces of rows pack all of it each, which is little beside
  // many rows; pieces of columns read all of A each.
  static bool rows_first(const GemmArgs& args, std::int64_t wanted) {
    constexpr std::int64_t kManyRows = 128, kEnough = 8;
    const std::int64_t pieces = power_of_two(std::min(wanted, kEnough));
    return args.m >= kManyRows * pieces || args.n < kThinnest * pieces;
  }
};

template <class T, class Out>
void run(const Queue& queue, const GemmArgs& args) {
  const Tiles tiles(args);
  const auto* a = static_cast<const T*>(args.a);
  const auto* b = static_cast<const T*>(args.b);
  auto* c = static_cast<Out*>(args.c);
  parallel_for(queue, tiles.count, [&](std::int64_t tile) {
    const OneThread one_thread;
    const std::int64_t first = tile * tiles.size;
    if (tiles.along_m) {
      product(args, a + first * (args.transpose_a ? 1 : args.lda), b, c + first * args.ldc,
              std::min(tiles.size, args.m - first), args.n);
    } else {
      product(args, a, b + first * (args.transpose_b ? args.ldb : 1), c + first, args.m,
              std::min(tiles.size, args.n - first));
    }
  });
}

}  // namespace

void gemm(const Queue& queue, const GemmArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    args.wide_c ? run<T, Wide<T>>(queue, args) : run<T, T>(queue, args);
  });
}

}  // namespace sluice::cpu
