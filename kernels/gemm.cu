// Matrix products through cuBLAS.
#include "kernels/gemm.h"
#include "kernels/error.h"
#include "kernels/launch.h"

namespace sluice::cuda {
namespace {

/// C = beta C, what a product over k == 0 leaves; cuBLAS does not promise it. beta == 0 overwrites
/// NaN. One thread an element of [batch, m, n].
template <class T>
__global__ void scale_kernel(T* c, std::int64_t batch, std::int64_t m, std::int64_t n,
                             std::int64_t ldc, std::int64_t stride_c, T beta) {
  for (std::int64_t i = grid_index(); i < batch * m * n; i += grid_stride()) {
    T& out = c[i / (m * n) * stride_c + i / n % m * ldc + i % n];
    out = beta == T(0) ? T(0) : beta * out;
  }
}

template <class T>
void run(const Queue& queue, const GemmArgs& args, cudaDataType_t storage,
         cublasComputeType_t compute) {
  if (args.k == 0) {
    constexpr unsigned threads = 256;
    launch(scale_kernel<T>,
           {.grid = grid_for(args.batch * args.m * args.n, threads), .block = {threads},
            .stream = queue.stream},
           static_cast<T*>(args.c), args.batch, args.m, args.n, args.ldc, args.stride_c,
           static_cast<T>(args.beta));
    return;
  }
  // cuBLAS is column-major, so that it sees our row-major matrices transposed: it computes
  // C^T [n,m] = op(B)^T op(A)^T, with the two factors exchanged and the same leading dimensions.
  const auto blas = static_cast<cublasHandle_t>(queue.blas);
  const cublasOperation_t transpose_a = args.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t transpose_b = args.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const T alpha = static_cast<T>(args.alpha), beta = static_cast<T>(args.beta);
  if (args.batch == 1) {
    check(cublasGemmEx_64(blas, transpose_b, transpose_a, args.n, args.m, args.k, &alpha, args.b,
                          storage, args.ldb, args.a, storage, args.lda, &beta, args.c, storage,
                          args.ldc, compute, CUBLAS_GEMM_DEFAULT),
          "cublasGemmEx");
  } else {
    check(cublasGemmStridedBatchedEx_64(
              blas, transpose_b, transpose_a, args.n, args.m, args.k, &alpha, args.b, storage,
              args.ldb, args.stride_b, args.a, storage, args.lda, args.stride_a, &beta, args.c,
              storage, args.ldc, args.stride_c, args.batch, compute, CUBLAS_GEMM_DEFAULT),
          "cublasGemmStridedBatchedEx");
  }
}

}  // namespace

void gemm(const Queue& queue, const GemmArgs& args) {
  require(queue.blas != nullptr,
          "gemm: the queue has no cuBLAS handle; take one from create_cuda_queue, or set "
          "Queue::blas to a handle bound to the queue's stream");
  if (args.type == DataType::float64) {
    run<double>(queue, args, CUDA_R_64F, CUBLAS_COMPUTE_64F);
  } else {
    run<float>(queue, args, CUDA_R_32F, CUBLAS_COMPUTE_32F);
  }
}

}  // namespace sluice::cuda
