#include "bench/layers/input_product.h"

#include <algorithm>

#include "kernels/arrays/gemm.h"

namespace sluice::bench {

InputProduct::InputProduct(const Queue& queue, const LayerProblem& problem, const InputRing& ring)
    : queue_(queue), problem_(problem), ring_(ring) {
  const RecurrentConfig& c = problem.config;
  const std::int64_t gates = gate_count(c.cell) * c.hidden_size, rows = problem.rows();
  const std::int64_t input =
      c.num_layers == 1 ? c.input_size : std::max(c.input_size, c.output_size());
  const std::size_t number = size_of(c.data_type);
  weights_ = Buffer(queue, gates * input * number);
  gates_ = Buffer(queue, rows * gates * number);
  fill_zero(queue, weights_.data(), weights_.bytes());
  fill_zero(queue, gates_.data(), gates_.bytes());
  if (problem.training) dx_ = Buffer(queue, rows * input * number);
}

void InputProduct::run(std::uint64_t pass) {
  const RecurrentConfig& c = problem_.config;
  const std::int64_t gates = gate_count(c.cell) * c.hidden_size, rows = problem_.rows();
  for (int layer = 0; layer < c.num_layers; ++layer) {
    const std::int64_t input = layer == 0 ? c.input_size : c.output_size();
    const void* const x = ring_.piece(rows * input, pass);
    for (int direction = 0; direction < c.directions(); ++direction) {
      gemm(queue_, {.type = c.data_type,
                    .math = c.math,
                    .transpose_b = true,
                    .m = rows,
                    .n = gates,
                    .k = input,
                    .a = x,
                    .lda = input,
                    .b = weights_.data(),
                    .ldb = input,
                    .c = gates_.data(),
                    .ldc = gates});
      if (!problem_.training) continue;
      gemm(queue_, {.type = c.data_type,
                    .math = c.math,
                    .m = rows,
                    .n = input,
                    .k = gates,
                    .a = gates_.data(),
                    .lda = gates,
                    .b = weights_.data(),
                    .ldb = input,
                    .c = dx_.data(),
                    .ldc = input});
      gemm(queue_, {.type = c.data_type,
                    .math = c.math,
                    .transpose_a = true,
                    .m = gates,
                    .n = input,
                    .k = rows,
                    .a = gates_.data(),
                    .lda = gates,
                    .b = x,
                    .ldb = input,
                    .c = weights_.data(),
                    .ldc = input});
    }
  }
}

}  // namespace sluice::bench
