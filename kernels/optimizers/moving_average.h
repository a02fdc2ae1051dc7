// An exponential moving average of a flat buffer of parameters (Polyak & Juditsky 1992, as it is
// used in deep learning).
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/base/queue.h"

namespace sluice {

/// Of a step that `steps` others came before: none of the average is kept at the first, so that it
/// needs no initial value, and the share rises to `decay`, so that early weights are soon
/// forgotten.
SLUICE_HOST_DEVICE double averaging_decay(double decay, std::uint32_t steps) {
  const double rising = steps / (steps + 9.0);
  return rising < decay ? rising : decay;
}

/// average += (1 - averaging_decay(decay, *step)) (parameters - average).
struct MovingAverageArgs {
  DataType type = DataType::float32;
  std::int64_t count = 0;
  void* average = nullptr;              ///< [count], finite; read and written
  const void* parameters = nullptr;     ///< [count]
  const std::uint32_t* step = nullptr;  ///< [1], on the device: steps taken before this one
  double decay = 0.0;                   ///< in [0, 1)
};

/// Errors: usage on a negative count, a null pointer or a decay out of range.
void update_moving_average(const Queue& queue, const MovingAverageArgs& args);

namespace cpu {
void update_moving_average(const Queue&, const MovingAverageArgs&);
}  // namespace cpu
namespace cuda {
void update_moving_average(const Queue&, const MovingAverageArgs&);
}  // namespace cuda

}  // namespace sluice
