// The kinds of arithmetic that persistent kernels are compiled for. Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/persistent_launch.h"
#include "kernels/time_loops/persistent/product.h"

namespace sluice::cuda {

using BFloat16Product = TensorProduct<BFloat16, BFloat16>;
using Float16Product = TensorProduct<Float16, Float16>;
using Tf32Product = TensorProduct<float, Tf32>;

/// Calls use(Product()) for the fit's type and arithmetic.
template <class Use>
void with_product(const PersistentLaunch& fit, Use use) {
  const DataType type = fit.request.shape.type;
  if (type == DataType::bfloat16) return use(BFloat16Product());
  if (type == DataType::float16) return use(Float16Product());
  if (fit.kernel.tensor_cores) return use(Tf32Product());
  use(FloatProduct());
}

// Instantiated in bfloat16.cu, float16.cu, float32.cu and tf32.cu.
template <class Product>
void run_persistent_forward(const Queue& queue, const PersistentLaunch& fit,
                            const PersistentForwardArgs* directions);
template <class Product>
void run_persistent_backward(const Queue& queue, const PersistentLaunch& fit,
                             const PersistentBackwardArgs* directions);

}  // namespace sluice::cuda
