// The functions of cuBLAS that Sluice calls, as plain loops over column-major matrices.
#include <cublas_v2.h>

#include <cstdint>

#include "cuda_on_cpu/device_memory.h"

namespace {

struct Handle {
  cudaStream_t stream = nullptr;
};

/// Element (row, column) of op(X) lies at x[row * row_step + column * column_step].
struct Steps {
  std::int64_t row, column;

  Steps(cublasOperation_t operation, std::int64_t leading)
      : row(operation == CUBLAS_OP_N ? 1 : leading), column(operation == CUBLAS_OP_N ? leading : 1) {}
};

struct Product {
  cublasOperation_t transpose_a, transpose_b;
  std::int64_t m, n, k;
  const void *alpha, *a;
  std::int64_t lda, stride_a;
  const void* b;
  std::int64_t ldb, stride_b;
  const void* beta;
  void* c;
  std::int64_t ldc, stride_c, batch;
};

template <class T>
void multiply(const Product& product) {
  const T alpha = *static_cast<const T*>(product.alpha), beta = *static_cast<const T*>(product.beta);
  const Steps in_a(product.transpose_a, product.lda), in_b(product.transpose_b, product.ldb);
  for (std::int64_t i = 0; i < product.batch; ++i) {
    const T* const a = static_cast<const T*>(product.a) + i * product.stride_a;
    const T* const b = static_cast<const T*>(product.b) + i * product.stride_b;
    T* const c = static_cast<T*>(product.c) + i * product.stride_c;
    for (std::int64_t column = 0; column < product.n; ++column) {
      for (std::int64_t row = 0; row < product.m; ++row) {
        double sum = 0.0;
        for (std::int64_t p = 0; p < product.k; ++p) {
          sum += static_cast<double>(a[row * in_a.row + p * in_a.column]) *
                 static_cast<double>(b[p * in_b.row + column * in_b.column]);
        }
        T& out = c[row + column * product.ldc];
        out = alpha * static_cast<T>(sum) + (beta == T(0) ? T(0) : beta * out);
      }
    }
  }
}

/// Bytes from the first to past the last element of a matrix of `rows` x `columns`, repeated.
std::size_t extent(std::int64_t rows, std::int64_t columns, std::int64_t leading,
                   std::int64_t stride, std::int64_t batch, std::size_t element) {
  return static_cast<std::size_t>((batch - 1) * stride + (columns - 1) * leading + rows) * element;
}

cublasStatus_t run(cublasHandle_t handle, const Product& product, cudaDataType type,
                   cublasComputeType_t compute) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const bool is_double = type == CUDA_R_64F;
  if (compute != (is_double ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;  // float32 must stay IEEE float32
  }
  const std::int64_t rows_a = product.transpose_a == CUBLAS_OP_N ? product.m : product.k;
  const std::int64_t rows_b = product.transpose_b == CUBLAS_OP_N ? product.k : product.n;
  if (product.m < 0 || product.n < 0 || product.k < 0 || product.batch < 0 ||
      product.lda < rows_a || product.ldb < rows_b || product.ldc < product.m) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (product.m == 0 || product.n == 0 || product.batch == 0) return CUBLAS_STATUS_SUCCESS;
  const std::size_t element = is_double ? 8 : 4;
  const std::int64_t columns_a = product.m + product.k - rows_a;
  const std::int64_t columns_b = product.k + product.n - rows_b;
  using cuda_on_cpu::is_device_memory;
  if (!is_device_memory(product.a, extent(rows_a, columns_a, product.lda, product.stride_a,
                                          product.batch, element)) ||
      !is_device_memory(product.b, extent(rows_b, columns_b, product.ldb, product.stride_b,
                                          product.batch, element)) ||
      !is_device_memory(product.c, extent(product.m, product.n, product.ldc, product.stride_c,
                                          product.batch, element))) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  const cuda_on_cpu::DeviceMemoryAccess access;
  is_double ? multiply<double>(product) : multiply<float>(product);
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = reinterpret_cast<cublasHandle_t>(new Handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete reinterpret_cast<Handle*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  reinterpret_cast<Handle*>(handle)->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t, void* workspace, size_t bytes) {
  return cuda_on_cpu::is_device_memory(workspace, bytes) ? CUBLAS_STATUS_SUCCESS
                                                         : CUBLAS_STATUS_INVALID_VALUE;
}

/// TF32 and emulation are refused: nothing of Sluice may ask for them silently.
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t mode) {
  return mode == CUBLAS_DEFAULT_MATH ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t, cublasAtomicsMode_t mode) {
  return mode == CUBLAS_ATOMICS_NOT_ALLOWED ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED: a matrix reaches past its device allocation";
    default: return "a cuBLAS status";
  }
}

cublasStatus_t cublasGemmEx_64(cublasHandle_t handle, cublasOperation_t transpose_a,
                               cublasOperation_t transpose_b, int64_t m, int64_t n, int64_t k,
                               const void* alpha, const void* a, cudaDataType type_a, int64_t lda,
                               const void* b, cudaDataType, int64_t ldb, const void* beta, void* c,
                               cudaDataType, int64_t ldc, cublasComputeType_t compute,
                               cublasGemmAlgo_t) {
  return run(handle, {transpose_a, transpose_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc,
                      0, 1},
             type_a, compute);
}

cublasStatus_t cublasGemmStridedBatchedEx_64(
    cublasHandle_t handle, cublasOperation_t transpose_a, cublasOperation_t transpose_b, int64_t m,
    int64_t n, int64_t k, const void* alpha, const void* a, cudaDataType type_a, int64_t lda,
    long long stride_a, const void* b, cudaDataType, int64_t ldb, long long stride_b,
    const void* beta, void* c, cudaDataType, int64_t ldc, long long stride_c, int64_t batch,
    cublasComputeType_t compute, cublasGemmAlgo_t) {
  return run(handle, {transpose_a, transpose_b, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b,
                      beta, c, ldc, stride_c, batch},
             type_a, compute);
}

}  // extern "C"
