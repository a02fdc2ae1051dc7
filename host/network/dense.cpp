#include "host/network/dense.h"

#include "kernels/arrays/bias.h"
#include "kernels/arrays/gemm.h"

namespace sluice {
namespace {

constexpr const char* weight_name = "head.weight";
constexpr const char* bias_name = "head.bias";

}  // namespace

std::vector<ParameterView> Dense::parameters() const {
  const auto role = [this](ParameterKind kind) {
    return ParameterRole{.kind = kind, .gate_rows = outputs, .fan_in = inputs, .fan_out = outputs};
  };
  return {{weight_name, {outputs, inputs}, 0, role(ParameterKind::matrix)},
          {bias_name, {outputs}, 0, role(ParameterKind::bias)}};
}

void Dense::forward(const Queue& queue, const Weights& weights, std::int64_t rows, const float* x,
                    float* y) const {
  GemmArgs product;  // y [N, O] = x [N, F] weight^T [F, O]
  product.math = math;
  product.transpose_b = true;
  product.m = rows;
  product.n = outputs;
  product.k = inputs;
  product.a = x;
  product.lda = inputs;
  product.b = weights.value(weight_name);
  product.ldb = inputs;
  product.c = y;
  product.ldc = outputs;
  gemm(queue, product);

  AddBiasArgs bias;
  bias.rows = rows;
  bias.columns = bias.ld = outputs;
  bias.x = y;
  bias.bias = weights.value(bias_name);
  add_bias(queue, bias);
}

std::size_t Dense::workspace_bytes(std::int64_t rows) const {
  return column_sum_workspace_bytes(DataType::float32, rows, outputs);
}

void Dense::backward(const Queue& queue, const Weights& weights, std::int64_t rows, const float* x,
                     const float* dy, float* dx, const Workspace& workspace) const {
  GemmArgs weight_gradient;  // [O, F] = dy^T [O, N] x [N, F]
  weight_gradient.math = math;
  weight_gradient.transpose_a = true;
  weight_gradient.m = outputs;
  weight_gradient.n = inputs;
  weight_gradient.k = rows;
  weight_gradient.a = dy;
  weight_gradient.lda = outputs;
  weight_gradient.b = x;
  weight_gradient.ldb = inputs;
  weight_gradient.c = weights.gradient(weight_name);
  weight_gradient.ldc = inputs;
  gemm(queue, weight_gradient);

  ColumnSumArgs bias_gradient;
  bias_gradient.rows = rows;
  bias_gradient.columns = bias_gradient.ld = outputs;
  bias_gradient.x = dy;
  bias_gradient.out = weights.gradient(bias_name);
  bias_gradient.workspace = workspace.data;
  bias_gradient.workspace_bytes = workspace.bytes;
  column_sum(queue, bias_gradient);

  GemmArgs input_gradient;  // dx [N, F] = dy [N, O] weight [O, F]
  input_gradient.math = math;
  input_gradient.m = rows;
  input_gradient.n = inputs;
  input_gradient.k = outputs;
  input_gradient.a = dy;
  input_gradient.lda = outputs;
  input_gradient.b = weights.value(weight_name);
  input_gradient.ldb = inputs;
  input_gradient.c = dx;
  input_gradient.ldc = inputs;
  gemm(queue, input_gradient);
}

}  // namespace sluice
