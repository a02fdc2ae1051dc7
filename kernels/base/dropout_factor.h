// Which random word keeps a unit: the same on every device, for every kind of dropout.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/base/philox.h"

namespace sluice {

/// Whether the unit of this random word is kept by dropout at `rate`.
SLUICE_HOST_DEVICE bool keeps(std::uint32_t word, float rate) {
  return Philox::uniform(word) >= rate;
}

/// `scale` = 1/(1-rate) if the unit of this random word is kept, else 0.
template <class T>
SLUICE_HOST_DEVICE T dropout_factor(std::uint32_t word, float rate, T scale) {
  return keeps(word, rate) ? scale : T(0);
}

}  // namespace sluice
