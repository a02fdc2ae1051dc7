#include "bench/measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::bench {
namespace {

double percentile(const std::vector<double>& sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace

Statistics statistics(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto count = static_cast<double>(samples.size());
  Statistics found;
  found.mean = std::accumulate(samples.begin(), samples.end(), 0.0) / count;
  found.median = percentile(samples, 0.5);
  found.p10 = percentile(samples, 0.1);
  found.p90 = percentile(samples, 0.9);
  double squares = 0.0;
  for (const double value : samples) squares += (value - found.mean) * (value - found.mean);
  found.stddev = samples.size() > 1 ? std::sqrt(squares / (count - 1)) : 0.0;
  found.cv = found.mean == 0.0 ? 0.0 : found.stddev / found.mean;
  return found;
}

double geometric_mean(const std::vector<double>& values) {
  if (values.empty()) return 0.0;
  double sum = 0.0;
  for (const double value : values) sum += std::log(value);
  return std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace sluice::bench
