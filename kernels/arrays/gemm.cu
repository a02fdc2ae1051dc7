// Matrix products through cuBLAS.
#include "kernels/arrays/gemm.h"
#include "kernels/base/error.h"
#include "kernels/base/number.h"
#include "kernels/device/blas_check.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

/// C = beta C, what a product over k == 0 leaves; cuBLAS does not promise it. beta == 0 overwrites
/// NaN. One thread an element of [m, n].
template <class T>
__global__ void scale_kernel(T* c, std::int64_t m, std::int64_t n, std::int64_t ldc, Wide<T> beta) {
  for (std::int64_t i = grid_index(); i < m * n; i += grid_stride()) {
    T& out = c[i / n * ldc + i % n];
    out = narrow<T>(beta == Wide<T>(0) ? Wide<T>(0) : beta * widen(out));
  }
}

template <class T>
void scale(const Queue& queue, const GemmArgs& args) {
  constexpr unsigned threads = 256;
  launch(scale_kernel<T>,
         {.grid = grid_for(args.m * args.n, threads), .block = {threads}, .stream = queue.stream},
         static_cast<T*>(args.c), args.m, args.n, args.ldc, static_cast<Wide<T>>(args.beta));
}

cudaDataType_t storage_of(DataType type) {
  switch (type) {
    case DataType::float64: return CUDA_R_64F;
    case DataType::bfloat16: return CUDA_R_16BF;
    case DataType::float16: return CUDA_R_16F;
    case DataType::float32: break;
  }
  return CUDA_R_32F;
}

cublasComputeType_t compute_of(const GemmArgs& args) {
  if (args.type == DataType::float64) return CUBLAS_COMPUTE_64F;
  return args.type == DataType::float32 && args.math == MatrixMath::tf32
             ? CUBLAS_COMPUTE_32F_FAST_TF32
             : CUBLAS_COMPUTE_32F;
}

/// T: the type of beta and the sums.
template <class T>
void multiply(const Queue& queue, const GemmArgs& args) {
  // cuBLAS is column-major, so that it sees our row-major matrices transposed: it computes
  // C^T [n,m] = op(B)^T op(A)^T, with the two factors exchanged and the same leading dimensions.
  const auto blas = static_cast<cublasHandle_t>(queue.blas);
  const cublasOperation_t transpose_a = args.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t transpose_b = args.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cudaDataType_t factor = storage_of(args.type);
  const cudaDataType_t result = storage_of(args.wide_c ? state_type(args.type) : args.type);
  const cublasComputeType_t compute = compute_of(args);
  const T alpha = T(1), beta = static_cast<T>(args.beta);
  check(cublasGemmEx_64(blas, transpose_b, transpose_a, args.n, args.m, args.k, &alpha, args.b,
                        factor, args.ldb, args.a, factor, args.lda, &beta, args.c, result, args.ldc,
                        compute, CUBLAS_GEMM_DEFAULT),
        "cublasGemmEx");
}

}  // namespace

void gemm(const Queue& queue, const GemmArgs& args) {
  require(queue.blas != nullptr,
          "gemm: the queue has no cuBLAS handle; take one from create_cuda_queue, or set "
          "Queue::blas to a handle bound to the queue's stream");
  if (args.k == 0) {
    with_number(args.wide_c ? state_type(args.type) : args.type,
                [&]<class T>(T) { scale<T>(queue, args); });
  } else if (args.type == DataType::float64) {
    multiply<double>(queue, args);
  } else {
    multiply<float>(queue, args);
  }
}

}  // namespace sluice::cuda
