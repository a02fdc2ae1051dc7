// The order in which a maximum is looked for.
#pragma once

#include "kernels/base/host_device.h"

namespace sluice {

/// Whether `x` takes the place of `best`: it is larger, or the first NaN.
template <class T>
SLUICE_HOST_DEVICE bool exceeds(T x, T best) {
  return x > best || (x != x && best == best);
}

}  // namespace sluice
