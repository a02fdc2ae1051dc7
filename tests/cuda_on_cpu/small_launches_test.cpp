// Kernels whose threads work together, in launches small enough for ThreadSanitizer: each against
// its CPU twin.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "kernels/arrays/bias.h"
#include "kernels/arrays/norm.h"
#include "kernels/losses/loss.h"
#include "kernels/optimizers/optimizer.h"
#include "kernels/sequences/embedding.h"
#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

/// compute(queue) on both kinds of device, which must agree to a few roundings.
template <class Compute>
void expect_twins_agree(Compute compute) {
  const TestDevice cpu(DeviceKind::cpu), cuda(DeviceKind::cuda);
  const auto on_cpu = compute(cpu.queue());
  const auto on_cuda = compute(cuda.queue());
  expect_near(on_cuda, std::vector<double>(on_cpu.begin(), on_cpu.end()), 1e-5);
}

TEST(SmallLaunches, SumOfSquares) {
  const auto x = random_numbers<float>(17000);
  expect_twins_agree([&](const Queue& queue) {
    const std::size_t bytes = sum_of_squares_workspace_bytes(17000);
    const GuardedBuffer memory(queue, x), out(queue, sizeof(double)), workspace(queue, bytes);
    sum_of_squares(queue, {.count = 17000,
                           .x = memory.data(),
                           .out = static_cast<double*>(out.data()),
                           .workspace = workspace.data(),
                           .workspace_bytes = bytes});
    return out.get<double>();
  });
}

TEST(SmallLaunches, SoftmaxCrossEntropy) {
  constexpr std::int64_t rows = 5, classes = 67;
  const auto logits = random_numbers<float>(rows * classes);
  const auto labels = random_integers(rows, classes);
  expect_twins_agree([&](const Queue& queue) {
    const std::size_t bytes = cross_entropy_workspace_bytes(rows);
    const GuardedBuffer x(queue, logits), label(queue, labels), workspace(queue, bytes),
        gradient(queue, rows * classes * sizeof(float)), totals(queue, std::vector<double>(3, 0.0));
    softmax_cross_entropy(queue, {.rows = rows,
                                  .classes = classes,
                                  .logits = x.data(),
                                  .labels = static_cast<const std::int32_t*>(label.data()),
                                  .d_logits = gradient.data(),
                                  .totals = static_cast<double*>(totals.data()),
                                  .workspace = workspace.data(),
                                  .workspace_bytes = bytes});
    auto results = totals.get<double>();
    for (const float value : gradient.get<float>()) results.push_back(value);
    return results;
  });
}

TEST(SmallLaunches, ColumnSum) {
  constexpr std::int64_t rows = 70, columns = 9;
  const auto x = random_numbers<float>(rows * columns);
  expect_twins_agree([&](const Queue& queue) {
    const std::size_t bytes = column_sum_workspace_bytes(DataType::float32, rows, columns);
    const GuardedBuffer memory(queue, x), out(queue, columns * sizeof(float)),
        workspace(queue, bytes);
    column_sum(queue, {.rows = rows,
                       .columns = columns,
                       .x = memory.data(),
                       .ld = columns,
                       .out = out.data(),
                       .workspace = workspace.data(),
                       .workspace_bytes = bytes});
    return out.get<float>();
  });
}

TEST(SmallLaunches, EmbeddingBackward) {
  constexpr std::int64_t rows = 60, size = 5, vocabulary = 11;
  const auto d_out = random_numbers<float>(rows * size);
  const auto tokens = random_integers(rows, vocabulary);
  expect_twins_agree([&](const Queue& queue) {
    const std::size_t bytes =
        embedding_backward_workspace_bytes(queue, DataType::float32, rows, size);
    const GuardedBuffer gradient(queue, d_out), token(queue, tokens), workspace(queue, bytes),
        table(queue, vocabulary * size * sizeof(float));
    embedding_backward(queue, {.rows = rows,
                               .embedding_size = size,
                               .vocabulary = vocabulary,
                               .d_out = gradient.data(),
                               .tokens = static_cast<const std::int32_t*>(token.data()),
                               .d_table = table.data(),
                               .workspace = workspace.data(),
                               .workspace_bytes = bytes});
    return table.get<float>();
  });
}

TEST(SmallLaunches, Adam) {
  constexpr std::int64_t count = 300;
  const auto gradients = random_numbers<float>(count, 2);
  expect_twins_agree([&](const Queue& queue) {
    const GuardedBuffer x(queue, random_numbers<float>(count)), gradient(queue, gradients),
        average(queue, std::vector<float>(count, 0.1f)),
        square_average(queue, std::vector<float>(count, 0.2f)),
        rate(queue, std::vector<float>{0.01f}), step(queue, std::vector<std::uint32_t>{3});
    adam(queue, {.count = count,
                 .parameters = x.data(),
                 .gradients = gradient.data(),
                 .average = average.data(),
                 .square_average = square_average.data(),
                 .learning_rate = static_cast<const float*>(rate.data()),
                 .step = static_cast<const std::uint32_t*>(step.data())});
    return x.get<float>();
  });
}

}  // namespace
}  // namespace sluice::test
