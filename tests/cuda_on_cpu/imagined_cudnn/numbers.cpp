#include "imagined_cudnn/numbers.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>

namespace imagined_cudnn {
namespace {

/// A number of any of the types, in memory.
double load(const void* from, std::size_t i, cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_DOUBLE: return static_cast<const double*>(from)[i];
    case CUDNN_DATA_HALF:
      return static_cast<double>(__half2float(static_cast<const __half*>(from)[i]));
    case CUDNN_DATA_BFLOAT16:
      return static_cast<double>(__bfloat162float(static_cast<const __nv_bfloat16*>(from)[i]));
    default: return static_cast<double>(static_cast<const float*>(from)[i]);
  }
}
void store(double number, void* to, std::size_t i, cudnnDataType_t type) {
  const auto single = static_cast<float>(number);
  switch (type) {
    case CUDNN_DATA_DOUBLE: static_cast<double*>(to)[i] = number; break;
    case CUDNN_DATA_HALF: static_cast<__half*>(to)[i] = __float2half_rn(single); break;
    case CUDNN_DATA_BFLOAT16:
      static_cast<__nv_bfloat16*>(to)[i] = __float2bfloat16_rn(single);
      break;
    default: static_cast<float*>(to)[i] = single;
  }
}

}  // namespace

Numbers read(const void* from, std::size_t count, cudnnDataType_t type) {
  Numbers numbers(count, 0.0);
  for (std::size_t i = 0; from != nullptr && i < count; ++i) numbers[i] = load(from, i, type);
  return numbers;
}

void write(const Numbers& numbers, void* to, cudnnDataType_t type, bool add) {
  for (std::size_t i = 0; to != nullptr && i < numbers.size(); ++i) {
    store(numbers[i] + (add ? load(to, i, type) : 0.0), to, i, type);
  }
}

bool is_16_bit(cudnnDataType_t type) {
  return type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16;
}
std::size_t element(cudnnDataType_t type) {
  return type == CUDNN_DATA_DOUBLE ? 8 : is_16_bit(type) ? 2 : 4;
}

Numbers read_factors(const void* from, std::size_t count, const cudnnRNNStruct& layers) {
  Numbers numbers = read(from, count, layers.type);
  for (double& number : numbers) {
    if (!layers.tf32) break;
    int exponent = 0;
    const double fraction = std::frexp(number, &exponent);  // 11 bits with the leading one
    number = std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
  }
  return numbers;
}

}  // namespace imagined_cudnn
