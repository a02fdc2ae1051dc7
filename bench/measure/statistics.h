// What is said about a set of samples.
#pragma once

#include <vector>

namespace sluice::bench {

struct Statistics {
  double mean = 0, median = 0, stddev = 0, cv = 0, p10 = 0, p90 = 0;
};

/// Percentiles are interpolated between neighbours. `samples` must not be empty.
Statistics statistics(std::vector<double> samples);

/// exp(mean(log)); 0 if there are none.
double geometric_mean(const std::vector<double>& values);

}  // namespace sluice::bench
