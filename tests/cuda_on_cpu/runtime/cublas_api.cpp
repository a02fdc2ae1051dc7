// The functions of cuBLAS that Sluice calls, as plain loops over column-major matrices.
#include <cublas_v2.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "cuda_on_cpu/device_memory.h"
#include "cuda_on_cpu/half.h"
#include "cuda_on_cpu/streams.h"
#include "mma.h"

namespace {

struct Handle {
  cudaStream_t stream = nullptr;
};

/// Element (row, column) of op(X) lies at x[row * row_step + column * column_step].
struct Steps {
  std::int64_t row, column;

  Steps(cublasOperation_t operation, std::int64_t leading)
      : row(operation == CUBLAS_OP_N ? 1 : leading),
        column(operation == CUBLAS_OP_N ? leading : 1) {}
};

struct Product {
  cublasOperation_t transpose_a, transpose_b;
  cudaDataType type_a, type_b, type_c;
  cublasComputeType_t compute;
  std::int64_t m, n, k;
  const void *alpha, *a;
  std::int64_t lda;
  const void* b;
  std::int64_t ldb;
  const void* beta;
  void* c;
  std::int64_t ldc;
};

double number(double x) { return x; }
double number(float x) { return static_cast<double>(x); }
double number(__half x) { return static_cast<double>(__half2float(x)); }
double number(__nv_bfloat16 x) { return static_cast<double>(__bfloat162float(x)); }

void store(double x, double& to) { to = x; }
void store(float x, float& to) { to = x; }
void store(float x, __half& to) { to = __float2half_rn(x); }
void store(float x, __nv_bfloat16& to) { to = __float2bfloat16_rn(x); }

/// `In`, `Sum` and `Out`: the types of the factors, of alpha and beta, and of C.
template <class In, class Sum, class Out>
void multiply(const Product& product) {
  const Sum alpha = *static_cast<const Sum*>(product.alpha);
  const Sum beta = *static_cast<const Sum*>(product.beta);
  const Steps in_a(product.transpose_a, product.lda), in_b(product.transpose_b, product.ldb);
  const bool tf32 = product.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  const auto factor = [tf32](In x) {
    return tf32 ? nvcuda::wmma::__float_to_tf32(static_cast<float>(number(x))) : number(x);
  };
  const In* const a = static_cast<const In*>(product.a);
  const In* const b = static_cast<const In*>(product.b);
  Out* const c = static_cast<Out*>(product.c);
  for (std::int64_t column = 0; column < product.n; ++column) {
    for (std::int64_t row = 0; row < product.m; ++row) {
      double sum = 0.0;
      for (std::int64_t p = 0; p < product.k; ++p) {
        sum += factor(a[row * in_a.row + p * in_a.column]) *
               factor(b[p * in_b.row + column * in_b.column]);
      }
      Out& out = c[row + column * product.ldc];
      const Sum before = beta == Sum(0) ? Sum(0) : beta * static_cast<Sum>(number(out));
      store(alpha * static_cast<Sum>(sum) + before, out);
    }
  }
}

using Multiply = void (*)(const Product&);

/// What cuBLAS takes of the combinations of types; null for the others.
Multiply multiply_of(const Product& product) {
  const bool narrow_c = product.type_c == product.type_a;
  if (product.type_b != product.type_a || !(narrow_c || product.type_c == CUDA_R_32F))
    return nullptr;
  const bool float32 = product.compute == CUBLAS_COMPUTE_32F;
  switch (product.type_a) {
    case CUDA_R_64F:
      if (product.compute != CUBLAS_COMPUTE_64F || !narrow_c) return nullptr;
      return multiply<double, double, double>;
    case CUDA_R_32F:
      if (!float32 && product.compute != CUBLAS_COMPUTE_32F_FAST_TF32) return nullptr;
      return multiply<float, float, float>;
    case CUDA_R_16F:
      if (!float32) return nullptr;
      return narrow_c ? multiply<__half, float, __half> : multiply<__half, float, float>;
    case CUDA_R_16BF:
      if (!float32) return nullptr;
      return narrow_c ? multiply<__nv_bfloat16, float, __nv_bfloat16>
                      : multiply<__nv_bfloat16, float, float>;
    default: return nullptr;
  }
}

std::size_t size_of(cudaDataType type) {
  return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2;
}

/// Bytes from the first to past the last element of a matrix of `rows` x `columns`.
std::size_t extent(std::int64_t rows, std::int64_t columns, std::int64_t leading,
                   std::size_t element) {
  return static_cast<std::size_t>((columns - 1) * leading + rows) * element;
}

cublasStatus_t run(cublasHandle_t handle, const Product& product) {
  if (handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const Multiply multiply = multiply_of(product);
  if (multiply == nullptr) return CUBLAS_STATUS_NOT_SUPPORTED;
  const std::int64_t rows_a = product.transpose_a == CUBLAS_OP_N ? product.m : product.k;
  const std::int64_t rows_b = product.transpose_b == CUBLAS_OP_N ? product.k : product.n;
  if (product.m < 0 || product.n < 0 || product.k < 0 || product.lda < rows_a ||
      product.ldb < rows_b || product.ldc < product.m) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (product.m == 0 || product.n == 0) return CUBLAS_STATUS_SUCCESS;
  const std::int64_t columns_a = product.m + product.k - rows_a;
  const std::int64_t columns_b = product.k + product.n - rows_b;
  using cuda_on_cpu::is_device_memory;
  if (!is_device_memory(product.a,
                        extent(rows_a, columns_a, product.lda, size_of(product.type_a))) ||
      !is_device_memory(product.b,
                        extent(rows_b, columns_b, product.ldb, size_of(product.type_b))) ||
      !is_device_memory(product.c,
                        extent(product.m, product.n, product.ldc, size_of(product.type_c)))) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  // alpha and beta are numbers of the host that are read now, not when a graph is launched.
  std::array<double, 2> factors{};
  Product kept = product;
  const std::size_t factor = product.compute == CUBLAS_COMPUTE_64F ? sizeof(double) : sizeof(float);
  std::memcpy(&factors[0], product.alpha, factor);
  std::memcpy(&factors[1], product.beta, factor);
  auto compute = [=]() mutable {
    kept.alpha = &factors[0];
    kept.beta = &factors[1];
    const cuda_on_cpu::DeviceMemoryAccess access;
    multiply(kept);
    return cudaSuccess;
  };
  const cudaStream_t stream = reinterpret_cast<Handle*>(handle)->stream;
  const cudaError_t status =
      cuda_on_cpu::submit(stream, {cuda_on_cpu::NodeKind::library, nullptr, compute});
  return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
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

/// TF32 and emulation for all calls are refused: only a call may ask for TF32. Sums of 16-bit
/// products must stay float32.
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t mode) {
  constexpr int expected = CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
  return mode == expected ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
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
                               const void* b, cudaDataType type_b, int64_t ldb, const void* beta,
                               void* c, cudaDataType type_c, int64_t ldc,
                               cublasComputeType_t compute, cublasGemmAlgo_t) {
  return run(handle, {transpose_a, transpose_b, type_a, type_b, type_c, compute, m, n, k, alpha, a,
                      lda, b, ldb, beta, c, ldc});
}

}  // extern "C"
