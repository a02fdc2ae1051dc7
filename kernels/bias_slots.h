// Which of a recurrent layer's two biases each slot of the gates buffer gets.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"
#include "kernels/number.h"

namespace sluice {

/// Entry `index` of the [S*H] bias that combine_biases writes.
template <class T>
SLUICE_HOST_DEVICE Wide<T> combined_bias(Cell cell, std::int64_t hidden_size, const T* bias_ih,
                                         const T* bias_hh, std::int64_t index) {
  const std::int64_t n = 2 * hidden_size, q = 3 * hidden_size;
  if (cell == Cell::gru && index >= q) return widen(bias_hh[index - hidden_size]);
  if (cell == Cell::gru && index >= n) return widen(bias_ih[index]);
  if (cell == Cell::gru_reset_before && index >= q) return Wide<T>(0);
  return widen(bias_ih[index]) + widen(bias_hh[index]);
}

}  // namespace sluice
