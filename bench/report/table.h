// The results for people.
#pragma once

#include <string>

#include "bench/report/report.h"

namespace sluice::bench {

/// For each case: microseconds a step, TFLOP/s, percent of the limit, and the time of each peer
/// over Sluice's (above 1 Sluice is faster); below, for each suite and peer, the geometric mean of
/// the ratios and the worst case; last what was refused, with the peers' own messages.
std::string table(const Report& report);

}  // namespace sluice::bench
