// A pass of a 16-bit type beside the same numbers in float64.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {

template <class S>
constexpr DataType type_of = std::is_same_v<S, BFloat16> ? DataType::bfloat16 : DataType::float16;

template <class To, class From>
std::vector<To> as(const std::vector<From>& numbers) {
  std::vector<To> all;
  for (const From x : numbers) all.push_back(static_cast<To>(widen(x)));
  return all;
}

/// Runs `exact` on exactly the numbers of `pass`, which has run.
template <class S>
void run_on_the_same(const RecurrentPass<S>& pass, RecurrentPass<double>& exact) {
  exact.parameters = as<double>(pass.parameters);
  exact.x = as<double>(pass.x);
  exact.x_index = pass.x_index;
  exact.h0 = as<double>(pass.h0);
  exact.c0 = as<double>(pass.c0);
  exact.dy = as<double>(pass.dy);
  exact.dh_n = as<double>(pass.dh_n);
  exact.dc_n = as<double>(pass.dc_n);
  exact.seed = pass.seed;
  exact.forward();
  exact.backward();
}

inline RecurrentConfig in_float64(RecurrentConfig config) {
  config.data_type = DataType::float64;
  return config;
}
inline constexpr Backend exact_backend = {DeviceKind::cpu, Algorithm::stepwise};

/// Inputs of a pass. Where a rounding moves a ReLU's input past 0, a whole gradient comes or goes;
/// so its units are kept far from it, every other one on either side.
template <class S>
void fill_smoothly(RecurrentPass<S>& pass) {
  fill_inputs(pass);
  const RecurrentConfig& config = pass.plan().config();
  const bool relu = config.cell == Cell::rnn_relu || config.cell == Cell::indrnn;
  for (S& weight : pass.parameters) weight = narrow<S>(widen(weight) * (relu ? 0.05f : 0.5f));
  for (const ParameterView& view : recurrent_parameters(config)) {
    if (!relu || view.name.find("bias_ih") == std::string::npos) continue;
    for (std::int64_t i = 0; i < view.size(); ++i) {
      pass.parameters[view.offset + i] = narrow<S>(i % 2 == 0 ? 8.0f : -8.0f);
    }
  }
}

/// Root of the mean square error over that of the numbers.
inline void expect_near_in_the_mean(const char* name, const std::vector<double>& got,
                                    const std::vector<double>& exact, double allowed) {
  ASSERT_EQ(got.size(), exact.size()) << name;
  double error = 0.0, size = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    error += (got[i] - exact[i]) * (got[i] - exact[i]);
    size += exact[i] * exact[i];
  }
  EXPECT_LE(std::sqrt(error), allowed * std::sqrt(size)) << name;  // false for NaN
}

/// Every output of `pass`, which has run with buffers for `shape`.
template <class S>
void expect_near_exact(const RecurrentPass<S>& pass, const PassShape& shape) {
  RecurrentPass<double> exact(in_float64(pass.plan().config()), exact_backend, pass.layout(),
                              shape);
  run_on_the_same(pass, exact);
  const double allowed = type_of<S> == DataType::bfloat16 ? 1.6e-2 : 2e-3;
  expect_near_in_the_mean("y", as<double>(pass.y), exact.y, allowed);
  expect_near_in_the_mean("h_n", as<double>(pass.h_n), exact.h_n, allowed);
  expect_near_in_the_mean("c_n", as<double>(pass.c_n), exact.c_n, allowed);
  expect_near_in_the_mean("dx", as<double>(pass.dx), exact.dx, allowed);
  expect_near_in_the_mean("dh0", as<double>(pass.dh0), exact.dh0, allowed);
  expect_near_in_the_mean("dc0", as<double>(pass.dc0), exact.dc0, allowed);
  expect_near_in_the_mean("d_parameters", as<double>(pass.d_parameters), exact.d_parameters,
                          allowed);
}

}  // namespace sluice::test
