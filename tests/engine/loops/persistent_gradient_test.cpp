// Gradients of the persistent kernels, which have no double precision, against central differences
// of the loss along random directions, in which the rounding of float32 averages out. TF32's
// gradients stand beside the differences of the same kernel's loss in float32: over so small a step
// TF32's own loss moves by little more than its rounding.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

constexpr double epsilon = 4e-3, rtol = 2e-3;
constexpr double rtol_tf32 = rtol + 5e-3;  // what bench/README.md allows TF32 besides

using Parameters = std::tuple<Algorithm, Cell, MatrixMath>;
class PersistentGradient : public testing::TestWithParam<Parameters> {};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                            [](double x, double y) { return x * y; });
}

/// The loss whose gradient by (y, h_n, c_n) is (dy, dh_n, dc_n).
double loss_of(RecurrentPass<float>& pass) {
  pass.forward();
  return dot(pass.y, pass.dy) + dot(pass.h_n, pass.dh_n) + dot(pass.c_n, pass.dc_n);
}

/// `input`: of `pass`, whose loss is differenced.
void expect_derivative(RecurrentPass<float>& pass, const char* name, std::vector<float>& input,
                       const std::vector<float>& gradient, double tolerance, std::uint32_t seed) {
  const std::vector<float> at = input;
  const std::vector<float> direction = random_numbers<float>(input.size(), seed);
  const auto moved = [&](double by) {
    for (std::size_t i = 0; i < at.size(); ++i)
      input[i] = at[i] + static_cast<float>(by) * direction[i];
    return loss_of(pass);
  };
  const double expected = (moved(epsilon) - moved(-epsilon)) / (2 * epsilon);
  input = at;
  const double scale = std::sqrt(dot(gradient, gradient) * dot(direction, direction) /
                                 static_cast<double>(at.size()));
  EXPECT_NEAR(dot(gradient, direction), expected, tolerance * scale) << name;
}

TEST_P(PersistentGradient, AgreesWithFiniteDifferences_cuda) {
  const auto& [algorithm, cell, math] = GetParam();
  const Backend backend{DeviceKind::cuda, algorithm};
  if (const std::string why = why_unavailable(backend, cell); !why.empty()) GTEST_SKIP() << why;
  RecurrentConfig config;
  config.cell = cell;
  config.math = math;
  config.input_size = 5;
  config.hidden_size = 34;
  config.bidirectional = true;
  config.recurrent_dropout = 0.25;
  const SequenceLayout layout({4, 2, 5, 1, 3, 5, 5, 2, 4});
  RecurrentPass<float> pass(config, backend, layout);
  config.math = MatrixMath::ieee;
  RecurrentPass<float> exact(config, backend, layout);
  for (RecurrentPass<float>* each : {&pass, &exact}) {
    fill_inputs(*each);
    for (float& weight : each->parameters) weight *= 0.4f;
    each->seed = 77;
    each->step = {3};
  }
  pass.forward();
  pass.backward();
  const double tolerance = math == MatrixMath::ieee ? rtol : rtol_tf32;
  expect_derivative(exact, "dx", exact.x, pass.dx, tolerance, 11);
  expect_derivative(exact, "dh0", exact.h0, pass.dh0, tolerance, 12);
  if (!pass.dc0.empty()) expect_derivative(exact, "dc0", exact.c0, pass.dc0, tolerance, 13);
  expect_derivative(exact, "d_parameters", exact.parameters, pass.d_parameters, tolerance, 14);
}

INSTANTIATE_TEST_SUITE_P(All, PersistentGradient,
                         testing::Combine(testing::Values(Algorithm::persistent_block,
                                                          Algorithm::persistent_cluster,
                                                          Algorithm::persistent_grid),
                                          testing::Values(Cell::rnn_tanh, Cell::lstm, Cell::gru),
                                          testing::Values(MatrixMath::ieee, MatrixMath::tf32)),
                         [](const auto& test) {
                           return name_of(Backend{DeviceKind::cuda, std::get<0>(test.param)}) +
                                  "_" + sluice::name_of(std::get<1>(test.param)) +
                                  (std::get<2>(test.param) == MatrixMath::tf32 ? "_tf32" : "");
                         });

}  // namespace
}  // namespace sluice::test
