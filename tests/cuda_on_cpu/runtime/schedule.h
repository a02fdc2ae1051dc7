// What the schedule decides while a launch runs.
#pragma once

#include <cstddef>
#include <vector>

#include "cuda_on_cpu/schedule.h"

namespace cuda_on_cpu {

/// 0 to count - 1 in the order in which they run next.
std::vector<unsigned> order_of(std::size_t count);
/// Whether those who run next run as far as they can: drawn anew at each call in random orders.
bool is_greedy();
/// Whether a thread lets others run where it need not: sometimes, in random orders alone.
bool pauses();

}  // namespace cuda_on_cpu
