#include "kernels/arrays/norm_tile.h"

namespace sluice::SLUICE_ISA {
namespace {

// 32 sums side by side, whatever the width of the registers: the order is the same on every
// machine.
template <class T>
double sum_tile(const T* __restrict x, std::int64_t count) {
  constexpr int kLanes = 32;
  double sum[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(x[i + lane]);
      sum[lane] += value * value;
    }
  }
  for (int lane = 0; i < count; ++i, ++lane) {
    sum[lane] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
  }
  return sum[0];
}

}  // namespace

double sum_of_squares_tile(const float* x, std::int64_t count) { return sum_tile(x, count); }
double sum_of_squares_tile(const double* x, std::int64_t count) { return sum_tile(x, count); }

}  // namespace sluice::SLUICE_ISA
