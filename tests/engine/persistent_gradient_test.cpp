// Gradients of the persistent kernels, which have no double precision, against central differences of
// the loss along random directions, in which the rounding of float32 averages out.
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

/// The step of a difference, and what it may be off by, of the derivative that a gradient of this norm
/// has along a random direction. Rounded to TF32's 11 bits, numbers of about 1/2 are off by 7e-5 in the
/// mean; over a step of 2e-2, with root mean square 1/sqrt(3), that is 0.9 percent, of which four are
/// allowed.
struct Precision {
  double epsilon, tolerance;
};
Precision precision_of(MatrixMath math) {
  return math == MatrixMath::ieee ? Precision{4e-3, 2e-3} : Precision{2e-2, 4 * 0.9e-2};
}

using Parameters = std::tuple<Algorithm, Cell, MatrixMath>;
class PersistentGradient : public testing::TestWithParam<Parameters> {};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0,
                            std::plus<>(), [](double x, double y) { return x * y; });
}

/// The loss whose gradient by (y, h_n, c_n) is (dy, dh_n, dc_n).
double loss_of(RecurrentPass<float>& pass) {
  pass.forward();
  return dot(pass.y, pass.dy) + dot(pass.h_n, pass.dh_n) + dot(pass.c_n, pass.dc_n);
}

void expect_derivative(RecurrentPass<float>& pass, const char* name, std::vector<float>& input,
                       const std::vector<float>& gradient, std::uint32_t seed) {
  const Precision precision = precision_of(pass.plan().config().math);
  const std::vector<float> at = input;
  const std::vector<float> direction = random_numbers<float>(input.size(), seed);
  const auto moved = [&](double by) {
    for (std::size_t i = 0; i < at.size(); ++i) input[i] = at[i] + static_cast<float>(by) * direction[i];
    return loss_of(pass);
  };
  const double expected = (moved(precision.epsilon) - moved(-precision.epsilon)) / (2 * precision.epsilon);
  input = at;
  const double scale = std::sqrt(dot(gradient, gradient) * dot(direction, direction) /
                                 static_cast<double>(at.size()));
  EXPECT_NEAR(dot(gradient, direction), expected, precision.tolerance * scale) << name;
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
  RecurrentPass<float> pass(config, backend, SequenceLayout({4, 2, 5, 1, 3, 5, 5, 2, 4}));
  fill_inputs(pass);
  for (float& weight : pass.parameters) weight *= 0.4f;
  pass.seed = 77;
  pass.step = {3};
  pass.forward();
  pass.backward();
  const std::vector<float> d_parameters = pass.d_parameters, dx = pass.dx, dh0 = pass.dh0,
                           dc0 = pass.dc0;
  expect_derivative(pass, "dx", pass.x, dx, 11);
  expect_derivative(pass, "dh0", pass.h0, dh0, 12);
  if (!dc0.empty()) expect_derivative(pass, "dc0", pass.c0, dc0, 13);
  expect_derivative(pass, "d_parameters", pass.parameters, d_parameters, 14);
}

INSTANTIATE_TEST_SUITE_P(
    All, PersistentGradient,
    testing::Combine(testing::Values(Algorithm::persistent_block, Algorithm::persistent_cluster,
                                     Algorithm::persistent_grid),
                     testing::Values(Cell::rnn_tanh, Cell::lstm, Cell::gru),
                     testing::Values(MatrixMath::ieee, MatrixMath::tf32)),
    [](const auto& test) {
      return name_of(Backend{DeviceKind::cuda, std::get<0>(test.param)}) + "_" +
             sluice::name_of(std::get<1>(test.param)) +
             (std::get<2>(test.param) == MatrixMath::tf32 ? "_tf32" : "");
    });

}  // namespace
}  // namespace sluice::test
