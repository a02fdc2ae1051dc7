// The dropout factor of one number, the same on every device.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"
#include "kernels/philox.h"

namespace sluice {

/// `scale` = 1/(1-rate) if the unit of this random word is kept, else 0.
template <class T>
SLUICE_HOST_DEVICE T dropout_factor(std::uint32_t word, float rate, T scale) {
  return Philox::uniform(word) >= rate ? scale : T(0);
}

}  // namespace sluice
