// What every operation checks of the draws that it is given. Apart from unit_options.h, which
// sources for single instruction sets include: no text is built there.
#pragma once

#include <cmath>

#include "kernels/base/argument_checks.h"
#include "kernels/cells/unit_options.h"

namespace sluice {

/// Errors: usage unless the rates are in [0, 1), naming operation and field.
inline void check_draws(const char* operation, const UnitDraws& draws) {
  check_range(operation, "draws.mask.rate", draws.mask.rate, 0.0, 1.0);
  for (const float rate : draws.zoneout.rate) {
    // In float32 a rate just below 1 is 1.
    check_range(operation, "draws.zoneout.rate", rate, 0.0, std::nextafter(1.0, 2.0));
  }
}

}  // namespace sluice
